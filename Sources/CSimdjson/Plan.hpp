#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "CSimdjson.h"

// Where the fields of a record are: a tree of key segments, flat in vectors, with a small hash table at each node so
// that a key of the document costs one probe instead of a comparison with every name.
struct csimdjson_plan {
    static constexpr std::size_t slots = 64;

    struct Node {
        std::string segment;
        int16_t field = -1;
        // Attribute of a CloudEvents envelope, where the node lies at the top.
        int16_t attribute = -1;
        csimdjson_form form = CSIMDJSON_SCALAR;
        // Next node with the same parent and hash; 0 ends the chain (the root is nobody's child).
        uint16_t next = 0;
        // Into `tables`; -1 for a leaf.
        int32_t table = -1;
        std::vector<uint16_t> children;
    };

    static constexpr std::size_t expected_keys = 24;

    // A key of the last record, and its node. A size that no key has stands for none yet.
    struct Expected {
        uint64_t words[2] = {0, 0};
        std::size_t size = ~std::size_t{0};
        uint16_t node = 0;
    };

    std::vector<Node> nodes{Node{}};
    // Remembered between records: a plan serves one thread, as its parser does.
    mutable std::array<Expected, expected_keys> expected{};
    std::vector<std::array<uint16_t, slots>> tables;

    static std::size_t slot(std::string_view key) noexcept {
        if (key.empty()) { return 0; }
        const auto first = static_cast<unsigned char>(key.front());
        const auto last = static_cast<unsigned char>(key.back());
        return (key.size() * 7 + first * 3 + last) % slots;
    }

    uint16_t find(uint16_t parent, std::string_view key) const noexcept {
        const auto table = nodes[parent].table;
        if (table < 0) { return 0; }
        auto index = tables[static_cast<std::size_t>(table)][slot(key)];
        while (index != 0) {
            const auto &node = nodes[index];
            if (node.segment.size() == key.size() && std::memcmp(node.segment.data(), key.data(), key.size()) == 0) {
                return index;
            }
            index = node.next;
        }
        return 0;
    }

    // The same at the top of a record, for the key of its n-th entry, behind which 16 bytes may be read. The entries of a
    // producer's records come in one order, so that the key is mostly that of the record before.
    uint16_t find_at_top(std::size_t position, std::string_view key) const noexcept {
        if (key.size() > 16 || position >= expected_keys) { return find(0, key); }
        uint64_t words[2];
        std::memcpy(words, key.data(), sizeof words);
        words[0] &= mask(key.size());
        words[1] &= mask(key.size() - std::min<std::size_t>(key.size(), 8));
        auto &before = expected[position];
        if (before.words[0] != words[0] || before.words[1] != words[1] || before.size != key.size()) {
            before = {{words[0], words[1]}, key.size(), find(0, key)};
        }
        return before.node;
    }

    static uint64_t mask(std::size_t bytes) noexcept {
        return bytes >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * bytes)) - 1;
    }

    uint16_t find_or_add(uint16_t parent, std::string_view key) {
        if (const auto found = find(parent, key)) { return found; }
        const auto index = static_cast<uint16_t>(nodes.size());
        nodes.push_back(Node{});
        nodes[index].segment = key;
        if (nodes[parent].table < 0) {
            nodes[parent].table = static_cast<int32_t>(tables.size());
            tables.push_back({});
        }
        auto &head = tables[static_cast<std::size_t>(nodes[parent].table)][slot(key)];
        nodes[index].next = head;
        head = index;
        nodes[parent].children.push_back(index);
        return index;
    }
};
