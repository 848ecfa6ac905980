#include <algorithm>
#include <cmath>
#include <memory>

#include <simdjson.h>

#include "CSimdjson.h"
#include "Plan.hpp"
#include "Tape.hpp"

namespace {

enum Attribute : int16_t { specversion, time_, datacontenttype, data, data_base64 };

csimdjson_text as_text(std::string_view view) noexcept {
    return {reinterpret_cast<const uint8_t *>(view.data()), static_cast<ptrdiff_t>(view.size())};
}

// Whether a byte of the word is below 0x20 or equals 0x7F or 0xC2; bytes outside of the mask do not count. Exact for
// the lowest such byte, which is enough for the question. The tricks are from Warren, "Hacker's Delight", section 6-1.
uint64_t suspicious(uint64_t word, uint64_t mask) noexcept {
    constexpr uint64_t ones = 0x0101010101010101u;
    constexpr uint64_t highs = 0x8080808080808080u;
    const auto is_zero = [](uint64_t value) { return (value - ones) & ~value & highs; };
    const auto below = (word - ones * 0x20) & ~word & highs;
    return (below | is_zero(word ^ ones * 0x7F) | is_zero(word ^ ones * 0xC2)) & mask;
}

// C0 (U+0000 to U+001F), DEL and C1 (U+0080 to U+009F, in UTF-8 0xC2 0x80 to 0xC2 0x9F). Eight bytes at a time: names
// are short. The text lies in simdjson's string buffer, which is padded, so that a whole word may be read at its end.
bool has_control(std::string_view view) noexcept {
    const auto *bytes = reinterpret_cast<const unsigned char *>(view.data());
    uint64_t found = 0;
    for (std::size_t i = 0; i < view.size(); i += 8) {
        uint64_t word;
        std::memcpy(&word, bytes + i, 8);
        const auto left = view.size() - i;
        found |= suspicious(word, left >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * left)) - 1);
    }
    if (found == 0) { return false; }
    for (std::size_t i = 0; i < view.size(); ++i) {
        if (bytes[i] < 0x20 || bytes[i] == 0x7F) { return true; }
        if (bytes[i] == 0xC2 && i + 1 < view.size() && bytes[i + 1] < 0xA0) { return true; }
    }
    return false;
}

void fill(csimdjson_field &field, Tape tape, uint32_t at) noexcept {
    switch (tape.type(at)) {
    case Tape::text: {
        const auto view = tape.view(at);
        field.kind = CSIMDJSON_TEXT;
        field.text = reinterpret_cast<const uint8_t *>(view.data());
        field.text_count = static_cast<ptrdiff_t>(view.size());
        field.has_control = has_control(view);
        return;
    }
    case Tape::signed_integer:
        field.kind = CSIMDJSON_INTEGER;
        field.integer = tape.integer(at);
        field.number = static_cast<double>(field.integer);
        return;
    case Tape::unsigned_integer:
    case Tape::floating:
        field.kind = CSIMDJSON_NUMBER;
        tape.number(at, field.number);
        return;
    case Tape::true_value:
    case Tape::false_value:
        field.kind = CSIMDJSON_BOOLEAN;
        field.boolean = tape.type(at) == Tape::true_value;
        return;
    case Tape::null_value: field.kind = CSIMDJSON_NULL; return;
    case Tape::object: field.kind = CSIMDJSON_OBJECT; return;
    default: field.kind = CSIMDJSON_ARRAY; return;
    }
}

} // namespace

struct csimdjson_parser {
    csimdjson_parser(csimdjson_limits limits)
        : limits(limits), values(new csimdjson_value[static_cast<std::size_t>(limits.values)]) {
        record.fields = fields;
        record.values = values.get();
        record.texts = texts;
        ensure(4096);
    }

    csimdjson_status parse(const csimdjson_plan &plan, const uint8_t *bytes, std::size_t count,
                           bool with_envelope) noexcept {
        reset();
        ensure(count);
        std::memcpy(buffer.get(), bytes, count);
        std::memset(buffer.get() + count, ' ', simdjson::SIMDJSON_PADDING);
        if (const auto error = parser.parse(buffer.get(), count, false).error()) {
            record.error_code = static_cast<int32_t>(error);
            return record.status = error == simdjson::DEPTH_ERROR ? CSIMDJSON_TOO_DEEP : CSIMDJSON_INVALID;
        }
        tape = {parser.doc.tape.get(), parser.doc.string_buf.get()};
        if (tape.type(Tape::root) != Tape::object) { return record.status = CSIMDJSON_NOT_AN_OBJECT; }
        walk_object(plan, 0, Tape::root, with_envelope);
        if (record.specversion.kind == CSIMDJSON_TEXT) {
            const auto status = open_envelope(plan);
            if (status != CSIMDJSON_OK) { return record.status = status; }
        }
        return record.status = read_containers();
    }

    csimdjson_record record{};

private:
    csimdjson_limits limits;
    simdjson::dom::parser parser;
    Tape tape{};
    std::unique_ptr<uint8_t[]> buffer;
    std::size_t capacity = 0;
    csimdjson_field fields[CSIMDJSON_FIELDS]{};
    std::unique_ptr<csimdjson_value[]> values;
    csimdjson_text texts[CSIMDJSON_TEXTS]{};
    // Places on the tape; 0, where the root's word is, stands for none.
    uint32_t envelope_data = 0;
    // The field whose form is not scalar; its element is read after the walk, when it is sure that no duplicate
    // key follows that would replace it.
    uint32_t container = 0;
    csimdjson_form container_form = CSIMDJSON_SCALAR;
    int16_t container_field = -1;
    uint32_t list = 0;
    // Bits of the fields that the last parse filled.
    uint32_t filled = 0;
    // Bits of the hashes of the names seen in `values`: a clear bit proves that a name is new.
    uint64_t seen[16]{};

    void reset() noexcept {
        clear_fields();
        record.error_code = 0;
        record.error_name = {nullptr, 0};
        record.is_envelope = false;
        record.specversion.kind = CSIMDJSON_ABSENT;
        record.time.kind = CSIMDJSON_ABSENT;
        record.datacontenttype.kind = CSIMDJSON_ABSENT;
        record.envelope_base64 = {nullptr, 0};
        record.value_count = 0;
        record.text_count = 0;
        envelope_data = 0;
    }

    void clear_fields() noexcept {
        for (; filled != 0; filled &= filled - 1) { fields[__builtin_ctz(filled)].kind = CSIMDJSON_ABSENT; }
        container_field = -1;
        list = 0;
    }

    // Grows by doubling, so that the number of allocations over a parser's life is bounded by the logarithm of the
    // largest record.
    void ensure(std::size_t count) {
        if (buffer != nullptr && count <= capacity) { return; }
        auto size = std::max<std::size_t>(capacity, 4096);
        while (size < count) { size *= 2; }
        buffer.reset(new uint8_t[size + simdjson::SIMDJSON_PADDING]);
        if (parser.allocate(size, static_cast<std::size_t>(limits.depth) + 1) != simdjson::SUCCESS) { std::abort(); }
        capacity = size;
    }

    void walk_object(const csimdjson_plan &plan, uint16_t parent, uint32_t object, bool with_envelope) noexcept {
        for (auto key = object + 1; tape.type(key) == Tape::text; key = tape.after(key + 1)) {
            const auto index = plan.find(parent, tape.view(key));
            if (index != 0) { visit(plan, index, key + 1, with_envelope); }
        }
    }

    void walk_array(const csimdjson_plan &plan, uint16_t parent, uint32_t array) noexcept {
        for (const auto child : plan.nodes[parent].children) {
            std::size_t position = 0;
            bool is_index = !plan.nodes[child].segment.empty();
            for (const char digit : plan.nodes[child].segment) {
                is_index = is_index && digit >= '0' && digit <= '9' && position < 100'000'000;
                position = position * 10 + static_cast<std::size_t>(digit - '0');
            }
            if (!is_index) { continue; }
            for (auto at = array + 1; tape.type(at) != Tape::array_end; at = tape.after(at)) {
                if (position-- == 0) {
                    visit(plan, child, at, false);
                    break;
                }
            }
        }
    }

    void visit(const csimdjson_plan &plan, uint16_t index, uint32_t at, bool with_envelope) noexcept {
        const auto &node = plan.nodes[index];
        if (node.field >= 0) { take(node, at); }
        if (with_envelope && node.attribute >= 0) { take_attribute(node.attribute, at); }
        if (node.table < 0) { return; }
        // A duplicate of a key further up replaces everything beneath the earlier one.
        forget(plan, index);
        if (tape.type(at) == Tape::object) {
            walk_object(plan, index, at, false);
        } else if (tape.type(at) == Tape::array) {
            walk_array(plan, index, at);
        }
    }

    void take(const csimdjson_plan::Node &node, uint32_t at) noexcept {
        fill(fields[node.field], tape, at);
        filled |= uint32_t{1} << node.field;
        if (node.form == CSIMDJSON_SCALAR) { return; }
        if (node.form == CSIMDJSON_TEXT_LIST) {
            list = at;
        } else {
            container = at;
            container_form = node.form;
            container_field = node.field;
        }
    }

    void take_attribute(int16_t attribute, uint32_t at) noexcept {
        switch (attribute) {
        case specversion: return fill(record.specversion, tape, at);
        case time_: return fill(record.time, tape, at);
        case datacontenttype: return fill(record.datacontenttype, tape, at);
        case data: envelope_data = at; return;
        default:
            record.envelope_base64 = tape.type(at) == Tape::text ? as_text(tape.view(at)) : csimdjson_text{nullptr, 0};
            return;
        }
    }

    void forget(const csimdjson_plan &plan, uint16_t parent) noexcept {
        for (const auto child : plan.nodes[parent].children) {
            const auto &node = plan.nodes[child];
            if (node.field >= 0) {
                fields[node.field].kind = CSIMDJSON_ABSENT;
                if (node.form == CSIMDJSON_TEXT_LIST) { list = 0; }
                if (node.field == container_field) { container_field = -1; }
            }
            forget(plan, child);
        }
    }

    // What the walk found outside `data` was the envelope's, not the record's.
    csimdjson_status open_envelope(const csimdjson_plan &plan) noexcept {
        record.is_envelope = true;
        clear_fields();
        if (envelope_data != 0 && tape.type(envelope_data) == Tape::object) {
            walk_object(plan, 0, envelope_data, false);
            return CSIMDJSON_OK;
        }
        return envelope_data == 0 && record.envelope_base64.bytes != nullptr ? CSIMDJSON_ENVELOPE_BASE64
                                                                             : CSIMDJSON_ENVELOPE_DATA;
    }

    csimdjson_status read_containers() noexcept {
        if (list != 0) { read_texts(); }
        if (container_field < 0) { return CSIMDJSON_OK; }
        if (container_form == CSIMDJSON_VALUE) { return read_value(); }
        if (tape.type(container) != Tape::object) { return CSIMDJSON_OK; } // its kind says so
        std::fill(std::begin(seen), std::end(seen), 0);
        for (auto key = container + 1; tape.type(key) == Tape::text; key = tape.after(key + 1)) {
            const auto status = read_entry(tape.view(key), key + 1);
            if (status != CSIMDJSON_OK) {
                record.error_name = as_text(tape.view(key));
                return status;
            }
        }
        return CSIMDJSON_OK;
    }

    csimdjson_status read_entry(std::string_view name, uint32_t at) noexcept {
        double number = 0;
        const bool is_null = tape.type(at) == Tape::null_value;
        if (!tape.number(at, number) && !is_null) {
            if (container_form == CSIMDJSON_FIGURES) { return CSIMDJSON_OK; }
            const auto status = median_of(at, number);
            if (status != CSIMDJSON_OK) { return status; }
        }
        if (name.empty()) { return CSIMDJSON_VALUE_NAME_EMPTY; }
        if (static_cast<ptrdiff_t>(name.size()) > limits.name_bytes) { return CSIMDJSON_VALUE_NAME_LONG; }
        if (has_control(name)) { return CSIMDJSON_VALUE_NAME_CONTROL; }
        auto position = earlier(name);
        if (is_null) {
            if (position < record.value_count) { remove(position); }
            return CSIMDJSON_OK;
        }
        if (position == record.value_count) {
            if (position == limits.values) { return CSIMDJSON_TOO_MANY_VALUES; }
            ++record.value_count;
        }
        const auto text = as_text(name);
        values[static_cast<std::size_t>(position)] = {text.bytes, text.count, number};
        return CSIMDJSON_OK;
    }

    // Where the name already stands in `values`; `value_count` if nowhere.
    ptrdiff_t earlier(std::string_view name) noexcept {
        const auto *bytes = reinterpret_cast<const unsigned char *>(name.data());
        const auto size = name.size();
        const auto hash =
            (size * 37 + bytes[0] * 131u + bytes[size / 2] * 31u + bytes[size - 1] * 257u + bytes[size / 3] * 61u) %
            1024;
        auto &word = seen[hash / 64];
        const auto bit = uint64_t{1} << (hash % 64);
        if ((word & bit) == 0) {
            word |= bit;
            return record.value_count;
        }
        for (ptrdiff_t i = 0; i < record.value_count; ++i) {
            const auto &value = values[static_cast<std::size_t>(i)];
            if (static_cast<std::size_t>(value.name_count) == size && std::memcmp(value.name, bytes, size) == 0) {
                return i;
            }
        }
        return record.value_count;
    }

    void remove(ptrdiff_t position) noexcept {
        for (auto i = position; i + 1 < record.value_count; ++i) {
            values[static_cast<std::size_t>(i)] = values[static_cast<std::size_t>(i + 1)];
        }
        --record.value_count;
    }

    csimdjson_status median_of(uint32_t at, double &median) noexcept {
        if (tape.type(at) != Tape::object) { return CSIMDJSON_VALUE_TYPE; }
        bool has_median = false;
        for (auto key = at + 1; tape.type(key) == Tape::text; key = tape.after(key + 1)) {
            double number;
            const bool is_median = tape.view(key) == "p50";
            if (!tape.number(key + 1, number)) {
                const bool is_null = tape.type(key + 1) == Tape::null_value;
                return is_median && is_null ? CSIMDJSON_MEDIAN_MISSING : CSIMDJSON_QUANTILE_TYPE;
            }
            if (is_median) {
                median = number;
                has_median = true;
            }
        }
        return has_median ? CSIMDJSON_OK : CSIMDJSON_MEDIAN_MISSING;
    }

    csimdjson_status read_value() noexcept {
        auto &field = fields[container_field];
        if (field.kind != CSIMDJSON_OBJECT) { return CSIMDJSON_OK; }
        const auto status = median_of(container, field.number);
        if (status == CSIMDJSON_OK) { field.kind = CSIMDJSON_NUMBER; }
        return status;
    }

    void read_texts() noexcept {
        if (tape.type(list) == Tape::text) {
            texts[record.text_count++] = as_text(tape.view(list));
        } else if (tape.type(list) == Tape::array) {
            for (auto at = list + 1; tape.type(at) != Tape::array_end; at = tape.after(at)) {
                if (record.text_count == CSIMDJSON_TEXTS) { return; }
                if (tape.type(at) == Tape::text) { texts[record.text_count++] = as_text(tape.view(at)); }
            }
        }
    }
};

extern "C" {

csimdjson_plan *csimdjson_plan_create(void) {
    auto *plan = new csimdjson_plan();
    const std::pair<const char *, Attribute> attributes[] = {
        {"specversion", specversion}, {"time", time_}, {"datacontenttype", datacontenttype},
        {"data", data},               {"data_base64", data_base64},
    };
    for (const auto &[name, attribute] : attributes) { plan->nodes[plan->find_or_add(0, name)].attribute = attribute; }
    return plan;
}

void csimdjson_plan_destroy(csimdjson_plan *plan) { delete plan; }

void csimdjson_plan_add(csimdjson_plan *plan, int32_t field, csimdjson_form form, const csimdjson_text *segments,
                        ptrdiff_t segment_count) {
    uint16_t node = 0;
    for (ptrdiff_t i = 0; i < segment_count; ++i) {
        node = plan->find_or_add(node, {reinterpret_cast<const char *>(segments[i].bytes),
                                        static_cast<std::size_t>(segments[i].count)});
    }
    plan->nodes[node].field = static_cast<int16_t>(field);
    plan->nodes[node].form = form;
}

csimdjson_parser *csimdjson_parser_create(csimdjson_limits limits) { return new csimdjson_parser(limits); }

void csimdjson_parser_destroy(csimdjson_parser *parser) { delete parser; }

const csimdjson_record *csimdjson_parser_record(const csimdjson_parser *parser) { return &parser->record; }

csimdjson_status csimdjson_parse(csimdjson_parser *parser, const csimdjson_plan *plan, const uint8_t *bytes,
                                 ptrdiff_t count, bool with_envelope) {
    return parser->parse(*plan, bytes, static_cast<std::size_t>(count), with_envelope);
}

const char *csimdjson_error_message(int32_t error_code) {
    return simdjson::error_message(static_cast<simdjson::error_code>(error_code));
}
}
