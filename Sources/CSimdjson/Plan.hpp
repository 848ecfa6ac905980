#pragma once

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

    std::vector<Node> nodes{Node{}};
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
