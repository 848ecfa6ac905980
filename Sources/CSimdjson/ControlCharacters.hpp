#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

// Whether a byte of the word is below 0x20 or equals 0x7F or 0xC2; bytes outside of the mask do not count. Exact for
// the lowest such byte, which is enough for the question. The tricks are from Warren, "Hacker's Delight", section 6-1.
inline uint64_t suspicious(uint64_t word, uint64_t mask) noexcept {
    constexpr uint64_t ones = 0x0101010101010101u;
    constexpr uint64_t highs = 0x8080808080808080u;
    const auto is_zero = [](uint64_t value) { return (value - ones) & ~value & highs; };
    const auto below = (word - ones * 0x20) & ~word & highs;
    return (below | is_zero(word ^ ones * 0x7F) | is_zero(word ^ ones * 0xC2)) & mask;
}

// C0 (U+0000 to U+001F), DEL and C1 (U+0080 to U+009F, in UTF-8 0xC2 0x80 to 0xC2 0x9F). Eight bytes at a time: names
// are short. The text lies in simdjson's string buffer, which is padded, so that a whole word may be read at its end.
inline bool has_control(std::string_view view) noexcept {
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
