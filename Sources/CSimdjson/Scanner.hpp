#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

// Reads plain records straight from what simdjson's first stage leaves behind: the places of all structural characters
// and of the beginnings of all scalars. That stage has checked the encoding, the control characters inside texts, and that
// texts end; this walk checks the rest (order, scalars, depth) and builds nothing, which takes half the time of building
// simdjson's document and walking that.
//
// It takes only what it is sure of. Whatever is unusual or wrong (escapes, numbers of many digits, depth, a key twice)
// it leaves to the document parser, which alone decides what is an error: the scanner may refuse, and never differ.
struct Scanner {
    const uint8_t *bytes;
    const uint32_t *next;
    const uint32_t *end;
    std::ptrdiff_t depth_max;

    struct Number {
        bool is_integer;
        int64_t integer;
        double number;
    };

    // The next place, which must hold `expected`.
    bool take(uint8_t expected) noexcept { return next < end && bytes[*next++] == expected; }

    // What lies at the next place; 0 behind the last.
    uint8_t peek() const noexcept { return next < end ? bytes[*next] : 0; }

    // The text that begins at `start` and ends before the next place. There is no backslash in the whole document.
    bool text(uint32_t start, std::string_view &view) const noexcept {
        if (next >= end) { return false; }
        auto last = *next - 1;
        while (is_space(bytes[last])) { --last; }
        if (last <= start || bytes[last] != '"') { return false; }
        view = {reinterpret_cast<const char *>(bytes) + start + 1, last - start - 1};
        return true;
    }

    // A key, with its colon.
    bool key(std::string_view &view) noexcept {
        if (peek() != '"') { return false; }
        const auto start = *next++;
        return text(start, view) && take(':');
    }

    // Behind an entry: 1 where another follows, 0 at the end, -1 for anything else.
    int separator(uint8_t closing) noexcept {
        const auto found = peek();
        ++next;
        return found == ',' ? 1 : found == closing ? 0 : -1;
    }

    bool literal(uint32_t start, const char *word, std::size_t count) const noexcept {
        return std::memcmp(bytes + start, word, count) == 0 && ends_scalar(bytes[start + count]);
    }

    // A number, correctly rounded: by one exact multiplication or division where the digits and the power of ten are exact
    // (Clinger, PLDI 1990), else by the library.
    bool number(uint32_t start, Number &out) const noexcept {
        const auto *cursor = bytes + start;
        const bool is_negative = *cursor == '-';
        cursor += is_negative;
        const auto *digits = cursor;
        uint64_t value = 0;
        if (are_eight_digits(cursor)) {
            value = eight_digits(cursor);
            cursor += 8;
            if (are_four_digits(cursor)) {
                value = value * 10000 + four_digits(cursor);
                cursor += 4;
            }
        }
        while (is_digit(*cursor)) { value = value * 10 + static_cast<uint64_t>(*cursor++ - '0'); }
        auto count = cursor - digits;
        if (count == 0 || count > 18 || (*digits == '0' && count > 1)) { return false; }
        if (ends_scalar(*cursor)) {
            out.is_integer = true;
            out.integer = is_negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
            out.number = static_cast<double>(out.integer);
            return true;
        }
        std::ptrdiff_t power = 0;
        if (*cursor == '.') {
            const auto *fraction = ++cursor;
            while (is_digit(*cursor) && count < 19) {
                value = value * 10 + static_cast<uint64_t>(*cursor++ - '0');
                ++count;
            }
            if (cursor == fraction || is_digit(*cursor)) { return false; }
            power = fraction - cursor;
        }
        if (*cursor == 'e' || *cursor == 'E') {
            ++cursor;
            const bool is_small = *cursor == '-';
            cursor += is_small || *cursor == '+';
            std::ptrdiff_t exponent = 0;
            const auto *first = cursor;
            while (is_digit(*cursor) && cursor - first < 4) { exponent = exponent * 10 + (*cursor++ - '0'); }
            if (cursor == first) { return false; }
            power += is_small ? -exponent : exponent;
        }
        if (!ends_scalar(*cursor)) { return false; }
        out.is_integer = false;
        if (value <= uint64_t{1} << 53 && power >= -22 && power <= 22) {
            const auto exact = static_cast<double>(value);
            out.number = power < 0 ? exact / powers[-power] : exact * powers[power];
            if (is_negative) { out.number = -out.number; }
            return true;
        }
        const auto *text = reinterpret_cast<const char *>(bytes + start);
        const auto result = std::from_chars(text, reinterpret_cast<const char *>(cursor), out.number);
        return result.ec == std::errc() && std::isfinite(out.number);
    }

    // Passes over a value that nobody asked for, and checks it all the same.
    bool skip(std::ptrdiff_t depth) noexcept {
        if (next >= end) { return false; }
        const auto start = *next++;
        switch (bytes[start]) {
        case '"': return true;
        case '{': return skip_object(depth + 1);
        case '[': return skip_array(depth + 1);
        case 't': return literal(start, "true", 4);
        case 'f': return literal(start, "false", 5);
        case 'n': return literal(start, "null", 4);
        default: {
            Number ignored;
            return number(start, ignored);
        }
        }
    }

    static bool is_digit(uint8_t byte) noexcept { return static_cast<uint8_t>(byte - '0') <= 9; }

    static bool is_space(uint8_t byte) noexcept {
        return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
    }

    // Whether a number or literal ends before this byte. The padding behind a document is spaces.
    static bool ends_scalar(uint8_t byte) noexcept {
        return byte == ',' || byte == '}' || byte == ']' || is_space(byte);
    }

private:
    static constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    // Times have thirteen digits. Eight at once in three multiplications, four in two (Mula, 2014; Lemire, 2018).
    static bool are_eight_digits(const uint8_t *text) noexcept {
        uint64_t word;
        std::memcpy(&word, text, sizeof word);
        return (((word + 0x4646464646464646u) | (word - 0x3030303030303030u)) & 0x8080808080808080u) == 0;
    }

    static uint64_t eight_digits(const uint8_t *text) noexcept {
        uint64_t word;
        std::memcpy(&word, text, sizeof word);
        word = (word & 0x0F0F0F0F0F0F0F0Fu) * 2561 >> 8;
        word = (word & 0x00FF00FF00FF00FFu) * 6553601 >> 16;
        return (word & 0x0000FFFF0000FFFFu) * 42949672960001u >> 32;
    }

    static bool are_four_digits(const uint8_t *text) noexcept {
        uint32_t word;
        std::memcpy(&word, text, sizeof word);
        return (((word + 0x46464646u) | (word - 0x30303030u)) & 0x80808080u) == 0;
    }

    static uint64_t four_digits(const uint8_t *text) noexcept {
        uint32_t word;
        std::memcpy(&word, text, sizeof word);
        word = (word & 0x0F0F0F0Fu) * 2561 >> 8;
        return (word & 0x00FF00FFu) * 6553601u >> 16;
    }

    bool skip_object(std::ptrdiff_t depth) noexcept {
        if (depth >= depth_max) { return false; }
        if (peek() == '}') { return take('}'); }
        std::string_view ignored;
        for (int more = 1; more == 1;) {
            if (!key(ignored) || !skip(depth)) { return false; }
            more = separator('}');
            if (more < 0) { return false; }
        }
        return true;
    }

    bool skip_array(std::ptrdiff_t depth) noexcept {
        if (depth >= depth_max) { return false; }
        if (peek() == ']') { return take(']'); }
        for (int more = 1; more == 1;) {
            if (!skip(depth)) { return false; }
            more = separator(']');
            if (more < 0) { return false; }
        }
        return true;
    }
};
