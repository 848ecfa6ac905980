#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <simdjson.h>

#include "CSimdjson.h"
#include "ControlCharacters.hpp"
#include "Plan.hpp"
#include "Scanner.hpp"

namespace dom = simdjson::dom;

namespace {

enum Attribute : int16_t { specversion, time_, datacontenttype, data, data_base64 };

csimdjson_text as_text(std::string_view view) noexcept {
    return {reinterpret_cast<const uint8_t *>(view.data()), static_cast<ptrdiff_t>(view.size())};
}

void fill(csimdjson_field &field, dom::element element) noexcept {
    switch (element.type()) {
    case dom::element_type::STRING: {
        const auto view = element.get_string().value_unsafe();
        field.kind = CSIMDJSON_TEXT;
        field.text = reinterpret_cast<const uint8_t *>(view.data());
        field.text_count = static_cast<ptrdiff_t>(view.size());
        field.has_control = has_control(view);
        return;
    }
    case dom::element_type::INT64:
        field.kind = CSIMDJSON_INTEGER;
        field.integer = element.get_int64().value_unsafe();
        field.number = static_cast<double>(field.integer);
        return;
    case dom::element_type::UINT64:
        field.kind = CSIMDJSON_NUMBER;
        field.number = static_cast<double>(element.get_uint64().value_unsafe());
        return;
    case dom::element_type::DOUBLE:
        field.kind = CSIMDJSON_NUMBER;
        field.number = element.get_double().value_unsafe();
        return;
    case dom::element_type::BOOL:
        field.kind = CSIMDJSON_BOOLEAN;
        field.boolean = element.get_bool().value_unsafe();
        return;
    case dom::element_type::NULL_VALUE: field.kind = CSIMDJSON_NULL; return;
    case dom::element_type::OBJECT: field.kind = CSIMDJSON_OBJECT; return;
    case dom::element_type::ARRAY: field.kind = CSIMDJSON_ARRAY; return;
    }
}

// Whether the element is a number, and which.
bool number_of(dom::element element, double &number) noexcept {
    switch (element.type()) {
    case dom::element_type::DOUBLE: number = element.get_double().value_unsafe(); return true;
    case dom::element_type::INT64: number = static_cast<double>(element.get_int64().value_unsafe()); return true;
    case dom::element_type::UINT64: number = static_cast<double>(element.get_uint64().value_unsafe()); return true;
    default: return false;
    }
}

// `count`, or `p` and a percentage: digits and at most one point. Whether it is either, and which.
bool summary_key(std::string_view key, double &percent) noexcept {
    if (key == "count") {
        percent = -1;
        return true;
    }
    if (key.size() < 2 || key.size() > 12 || key[0] != 'p') { return false; }
    double scale = 0;
    percent = 0;
    for (const char digit : key.substr(1)) {
        if (digit == '.' && scale == 0) {
            scale = 1;
        } else if (digit >= '0' && digit <= '9') {
            percent = percent * 10 + (digit - '0');
            scale *= 10;
        } else {
            return false;
        }
    }
    if (scale > 0) { percent /= scale; }
    return percent <= 100;
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
        if (scan(plan, count, with_envelope)) { return record.status = CSIMDJSON_OK; }
        reset();
        dom::element root;
        if (const auto error = parser.parse(buffer.get(), count, false).get(root)) {
            record.error_code = static_cast<int32_t>(error);
            return record.status = error == simdjson::DEPTH_ERROR ? CSIMDJSON_TOO_DEEP : CSIMDJSON_INVALID;
        }
        dom::object top;
        if (root.get(top)) { return record.status = CSIMDJSON_NOT_AN_OBJECT; }
        walk(plan, 0, top, with_envelope);
        if (record.specversion.kind == CSIMDJSON_TEXT) {
            const auto status = open_envelope(plan);
            if (status != CSIMDJSON_OK) { return record.status = status; }
        }
        return record.status = read_containers();
    }

    csimdjson_record record{};

private:
    csimdjson_limits limits;
    dom::parser parser;
    // simdjson's first stage, for the scanner.
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    std::unique_ptr<uint8_t[]> buffer;
    std::size_t capacity = 0;
    csimdjson_field fields[CSIMDJSON_FIELDS]{};
    std::unique_ptr<csimdjson_value[]> values;
    csimdjson_text texts[CSIMDJSON_TEXTS]{};
    dom::element envelope_data;
    bool has_envelope_data = false;
    // The field whose form is not scalar; its element is read after the walk, when it is sure that no duplicate
    // key follows that would replace it.
    dom::element container;
    csimdjson_form container_form = CSIMDJSON_SCALAR;
    int16_t container_field = -1;
    dom::element list;
    bool has_list = false;
    dom::element summaries;
    bool has_summaries = false;
    std::vector<csimdjson_summary_figure> summary_figures;
    // Bits of the hashes of the names seen in `values`: a clear bit proves that a name is new.
    uint64_t seen[16]{};

    void reset() noexcept {
        for (auto &field : fields) { field.kind = CSIMDJSON_ABSENT; }
        record.error_code = 0;
        record.error_name = {nullptr, 0};
        record.is_envelope = false;
        record.specversion.kind = CSIMDJSON_ABSENT;
        record.time.kind = CSIMDJSON_ABSENT;
        record.datacontenttype.kind = CSIMDJSON_ABSENT;
        record.envelope_base64 = {nullptr, 0};
        record.value_count = 0;
        record.text_count = 0;
        record.summaries = nullptr;
        record.summary_count = 0;
        has_envelope_data = false;
        container_field = -1;
        has_list = false;
        has_summaries = false;
    }

    // Grows by doubling, so that the number of allocations over a parser's life is bounded by the logarithm of the
    // largest record.
    void ensure(std::size_t count) {
        if (buffer != nullptr && count <= capacity) { return; }
        auto size = std::max<std::size_t>(capacity, 4096);
        while (size < count) { size *= 2; }
        buffer.reset(new uint8_t[size + simdjson::SIMDJSON_PADDING]);
        const auto depth = static_cast<std::size_t>(limits.depth) + 1;
        if (parser.allocate(size, depth) != simdjson::SUCCESS) { std::abort(); }
        const auto &active = simdjson::get_active_implementation();
        if (active->create_dom_parser_implementation(size, depth, stage) != simdjson::SUCCESS) { std::abort(); }
        capacity = size;
    }

    // Whether the record was plain enough to be read without a document; see Scanner. What it has filled counts then.
    bool scan(const csimdjson_plan &plan, std::size_t count, bool with_envelope) noexcept {
        if (plan.tables.size() != 1 || std::memchr(buffer.get(), '\\', count) != nullptr) { return false; }
        if (stage->stage1(buffer.get(), count, simdjson::stage1_mode::regular) != simdjson::SUCCESS) { return false; }
        const auto *places = stage->structural_indexes.get();
        Scanner scanner{buffer.get(), places, places + stage->n_structural_indexes, limits.depth};
        if (!scanner.take('{')) { return false; }
        std::string_view key;
        std::size_t position = 0;
        for (int more = 1; more == 1;) {
            if (!scanner.key(key)) { return false; }
            const auto index = plan.find_at_top(position++, key);
            const auto &node = plan.nodes[index];
            if (index != 0 && with_envelope && node.attribute == specversion) { return false; }
            if (index == 0 || node.field < 0) {
                if (!scanner.skip(1)) { return false; }
            } else if (!scan_field(node, scanner)) {
                return false;
            }
            more = scanner.separator('}');
            if (more < 0) { return false; }
        }
        return scanner.next == scanner.end;
    }

    bool scan_field(const csimdjson_plan::Node &node, Scanner &scanner) noexcept {
        auto &field = fields[node.field];
        if (field.kind != CSIMDJSON_ABSENT || scanner.next >= scanner.end) { return false; }
        const auto start = *scanner.next++;
        const auto first = scanner.bytes[start];
        if (node.form == CSIMDJSON_VALUES) {
            field.kind = CSIMDJSON_OBJECT;
            return first == '{' && scan_values(scanner);
        }
        if (node.form != CSIMDJSON_SCALAR && node.form != CSIMDJSON_VALUE) { return false; }
        if (Scanner::is_digit(first) || first == '-') {
            Scanner::Number number;
            if (!scanner.number(start, number)) { return false; }
            field.kind = number.is_integer ? CSIMDJSON_INTEGER : CSIMDJSON_NUMBER;
            field.integer = number.integer;
            field.number = number.number;
            return true;
        }
        if (node.form == CSIMDJSON_VALUE) { return false; }
        switch (first) {
        case '"': {
            std::string_view view;
            if (!scanner.text(start, view)) { return false; }
            field.kind = CSIMDJSON_TEXT;
            field.text = reinterpret_cast<const uint8_t *>(view.data());
            field.text_count = static_cast<ptrdiff_t>(view.size());
            field.has_control = has_control(view);
            return true;
        }
        case 't':
        case 'f':
            field.kind = CSIMDJSON_BOOLEAN;
            field.boolean = first == 't';
            return first == 't' ? scanner.literal(start, "true", 4) : scanner.literal(start, "false", 5);
        case 'n': field.kind = CSIMDJSON_NULL; return scanner.literal(start, "null", 4);
        default: return false;
        }
    }

    bool scan_values(Scanner &scanner) noexcept {
        if (scanner.peek() == '}') { return scanner.take('}'); }
        std::fill(std::begin(seen), std::end(seen), 0);
        std::string_view name;
        for (int more = 1; more == 1;) {
            if (!scanner.key(name) || scanner.next >= scanner.end) { return false; }
            if (name.empty() || static_cast<ptrdiff_t>(name.size()) > limits.name_bytes || has_control(name)) {
                return false;
            }
            const auto start = *scanner.next++;
            const auto first = scanner.bytes[start];
            Scanner::Number number;
            if (first == '{') {
                if (!scan_median(scanner, number.number)) { return false; }
            } else if (first == 'n') {
                if (!scanner.literal(start, "null", 4)) { return false; }
            } else if (!scanner.number(start, number)) {
                return false;
            }
            const auto position = earlier(name);
            if (first == 'n') {
                if (position < record.value_count) { remove(position); }
            } else {
                if (position == record.value_count && ++record.value_count > limits.values) { return false; }
                const auto text = as_text(name);
                values[static_cast<std::size_t>(position)] = {text.bytes, text.count, number.number};
            }
            more = scanner.separator('}');
            if (more < 0) { return false; }
        }
        return true;
    }

    bool scan_median(Scanner &scanner, double &median) noexcept {
        bool has_median = false;
        std::string_view name;
        for (int more = 1; more == 1;) {
            if (!scanner.key(name) || scanner.next >= scanner.end) { return false; }
            Scanner::Number number;
            if (!scanner.number(*scanner.next++, number)) { return false; }
            if (name == "p50") {
                median = number.number;
                has_median = true;
            }
            more = scanner.separator('}');
            if (more < 0) { return false; }
        }
        return has_median;
    }

    void walk(const csimdjson_plan &plan, uint16_t parent, dom::object object, bool with_envelope) noexcept {
        for (const auto pair : object) {
            const auto index = plan.find(parent, pair.key);
            if (index != 0) { visit(plan, index, pair.value, with_envelope); }
        }
    }

    void walk(const csimdjson_plan &plan, uint16_t parent, dom::array array) noexcept {
        for (const auto child : plan.nodes[parent].children) {
            std::size_t position = 0;
            bool is_index = !plan.nodes[child].segment.empty();
            for (const char digit : plan.nodes[child].segment) {
                is_index = is_index && digit >= '0' && digit <= '9' && position < 100'000'000;
                position = position * 10 + static_cast<std::size_t>(digit - '0');
            }
            if (!is_index) { continue; }
            for (const auto element : array) {
                if (position-- == 0) {
                    visit(plan, child, element, false);
                    break;
                }
            }
        }
    }

    void visit(const csimdjson_plan &plan, uint16_t index, dom::element element, bool with_envelope) noexcept {
        const auto &node = plan.nodes[index];
        if (node.field >= 0) { take(node, element); }
        if (with_envelope && node.attribute >= 0) { take_attribute(node.attribute, element); }
        if (node.table < 0) { return; }
        // A duplicate of a key further up replaces everything beneath the earlier one.
        forget(plan, index);
        dom::object object;
        dom::array array;
        if (element.get(object) == simdjson::SUCCESS) {
            walk(plan, index, object, false);
        } else if (element.get(array) == simdjson::SUCCESS) {
            walk(plan, index, array);
        }
    }

    void take(const csimdjson_plan::Node &node, dom::element element) noexcept {
        fill(fields[node.field], element);
        if (node.form == CSIMDJSON_SCALAR) { return; }
        if (node.form == CSIMDJSON_TEXT_LIST) {
            list = element;
            has_list = true;
        } else if (node.form == CSIMDJSON_SUMMARIES) {
            summaries = element;
            has_summaries = true;
        } else {
            container = element;
            container_form = node.form;
            container_field = node.field;
        }
    }

    void take_attribute(int16_t attribute, dom::element element) noexcept {
        switch (attribute) {
        case specversion: return fill(record.specversion, element);
        case time_: return fill(record.time, element);
        case datacontenttype: return fill(record.datacontenttype, element);
        case data:
            envelope_data = element;
            has_envelope_data = true;
            return;
        default:
            record.envelope_base64 = {nullptr, 0};
            if (element.is_string()) { record.envelope_base64 = as_text(element.get_string().value_unsafe()); }
            return;
        }
    }

    void forget(const csimdjson_plan &plan, uint16_t parent) noexcept {
        for (const auto child : plan.nodes[parent].children) {
            const auto &node = plan.nodes[child];
            if (node.field >= 0) {
                fields[node.field].kind = CSIMDJSON_ABSENT;
                if (node.form == CSIMDJSON_TEXT_LIST) { has_list = false; }
                if (node.form == CSIMDJSON_SUMMARIES) { has_summaries = false; }
                if (node.field == container_field) { container_field = -1; }
            }
            forget(plan, child);
        }
    }

    // What the walk found outside `data` was the envelope's, not the record's.
    csimdjson_status open_envelope(const csimdjson_plan &plan) noexcept {
        record.is_envelope = true;
        for (auto &field : fields) { field.kind = CSIMDJSON_ABSENT; }
        container_field = -1;
        has_list = false;
        has_summaries = false;
        dom::object object;
        if (has_envelope_data && envelope_data.get(object) == simdjson::SUCCESS) {
            walk(plan, 0, object, false);
            return CSIMDJSON_OK;
        }
        return !has_envelope_data && record.envelope_base64.bytes != nullptr ? CSIMDJSON_ENVELOPE_BASE64
                                                                             : CSIMDJSON_ENVELOPE_DATA;
    }

    csimdjson_status read_containers() noexcept {
        if (has_list) { read_texts(); }
        if (has_summaries) { read_summaries(); }
        if (container_field < 0) { return CSIMDJSON_OK; }
        if (container_form == CSIMDJSON_VALUE) { return read_value(); }
        dom::object object;
        if (container.get(object)) { return CSIMDJSON_OK; } // its kind says so
        std::fill(std::begin(seen), std::end(seen), 0);
        for (const auto pair : object) {
            const auto status = read_entry(pair.key, pair.value);
            if (status != CSIMDJSON_OK) {
                record.error_name = as_text(pair.key);
                return status;
            }
        }
        return CSIMDJSON_OK;
    }

    csimdjson_status read_entry(std::string_view name, dom::element element) noexcept {
        double number = 0;
        const bool is_null = element.is_null();
        if (!is_null && !number_of(element, number)) {
            if (container_form == CSIMDJSON_FIGURES) { return CSIMDJSON_OK; }
            const auto status = median_of(element, number);
            if (status != CSIMDJSON_OK) { return status; }
        }
        if (name.empty()) { return CSIMDJSON_VALUE_NAME_EMPTY; }
        if (static_cast<ptrdiff_t>(name.size()) > limits.name_bytes) { return CSIMDJSON_VALUE_NAME_LONG; }
        if (has_control(name)) { return CSIMDJSON_VALUE_NAME_CONTROL; }
        const auto position = earlier(name);
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

    csimdjson_status median_of(dom::element element, double &median) noexcept {
        dom::object quantiles;
        if (element.get(quantiles)) { return CSIMDJSON_VALUE_TYPE; }
        bool has_median = false;
        for (const auto pair : quantiles) {
            double number;
            const bool is_median = pair.key == "p50";
            if (!number_of(pair.value, number)) {
                if (is_median && pair.value.is_null()) { return CSIMDJSON_MEDIAN_MISSING; }
                return CSIMDJSON_QUANTILE_TYPE;
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

    void read_summaries() noexcept {
        summary_figures.clear();
        dom::object metrics;
        if (summaries.get(metrics)) { return; }
        for (const auto metric : metrics) {
            dom::object figures;
            const auto name = as_text(metric.key);
            if (name.count == 0 || name.count > limits.name_bytes || has_control(metric.key) ||
                metric.value.get(figures)) {
                continue;
            }
            for (const auto figure : figures) {
                double percent = 0;
                double number = 0;
                if (!summary_key(figure.key, percent) || !number_of(figure.value, number)) { continue; }
                if (summary_figures.size() == CSIMDJSON_SUMMARY_FIGURES) { break; }
                summary_figures.push_back({name.bytes, name.count, percent, number});
            }
        }
        record.summaries = summary_figures.data();
        record.summary_count = static_cast<ptrdiff_t>(summary_figures.size());
    }

    void read_texts() noexcept {
        dom::array array;
        if (list.is_string()) {
            texts[record.text_count++] = as_text(list.get_string().value_unsafe());
        } else if (list.get(array) == simdjson::SUCCESS) {
            for (const auto element : array) {
                if (record.text_count == CSIMDJSON_TEXTS) { return; }
                if (element.is_string()) { texts[record.text_count++] = as_text(element.get_string().value_unsafe()); }
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
