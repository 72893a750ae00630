// SPDX-License-Identifier: Apache-2.0
// Source: the DOT language and escString types in Graphviz' documentation.
#include "dot_reader.hpp"

namespace turboci::fuzz {

namespace {

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    std::optional<DotGraph> run() {
        DotGraph graph;
        if (!word("digraph") || !id(graph.name) || !word("{")) return std::nullopt;
        while (!word("}"))
            if (!statement(graph)) return std::nullopt;
        blanks();
        if (!rest_.empty()) return std::nullopt;
        return graph;
    }

private:
    void blanks() {
        while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
    }
    bool word(std::string_view text) {
        blanks();
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }
    bool id(std::string& out) {
        blanks();
        out.clear();
        if (rest_.empty()) return false;
        if (rest_.front() != '"') {
            std::size_t n = 0;
            const auto plain = [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.';
            };
            while (n < rest_.size() && plain(rest_[n])) ++n;
            out = rest_.substr(0, n);
            rest_.remove_prefix(n);
            return n > 0;
        }
        rest_.remove_prefix(1);
        while (!rest_.empty() && rest_.front() != '"') {
            if (static_cast<unsigned char>(rest_.front()) < 0x20) return false;
            if (rest_.front() == '\\' && rest_.size() > 1) {
                if (rest_[1] != '"') out += '\\';
                out += rest_[1];
                rest_.remove_prefix(2);
                continue;
            }
            out += rest_.front();
            rest_.remove_prefix(1);
        }
        return word("\"");
    }
    bool attributes(DotGraph::Attributes& out) {
        if (!word("[")) return true;
        do {
            std::string key, value;
            if (!id(key) || !word("=") || !id(value)) return false;
            if (!out.emplace(key, value).second) return false;
        } while (word(","));
        return word("]");
    }
    bool statement(DotGraph& graph) {
        std::string first, second;
        const bool quoted = (blanks(), !rest_.empty() && rest_.front() == '"');
        if (!id(first)) return false;
        DotGraph::Attributes found;
        const bool arrow = word("->");
        if (arrow && !id(second)) return false;
        if (!attributes(found) || !word(";")) return false;
        if (arrow) {
            graph.arrows.push_back({first, second, std::move(found)});
        } else if (quoted || (first != "graph" && first != "node" && first != "edge")) {
            graph.nodes.emplace_back(first, std::move(found));
        }
        return true;
    }

    std::string_view rest_;
};

}  // namespace

std::optional<DotGraph> read_dot(std::string_view text) { return Reader(text).run(); }

std::optional<std::string> shown(std::string_view label) {
    std::string text;
    for (std::size_t i = 0; i < label.size(); ++i) {
        if (label[i] == '\\') {
            if (++i == label.size()) return std::nullopt;
            if (label[i] == 'n') {
                text += '\n';
            } else if (label[i] == '\\' || label[i] == '"') {
                text += label[i];
            } else {
                return std::nullopt;
            }
        } else if (label.substr(i).starts_with("&amp;")) {
            text += '&';
            i += 4;
        } else {
            text += label[i];
        }
    }
    return text;
}

}  // namespace turboci::fuzz
