// SPDX-License-Identifier: Apache-2.0
// A file with defaults and matrices says what the same file says that is written out by hand: random files,
// written out by a few simple functions that share nothing with the reader.
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "reading.hpp"
#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "support/written_nodes.hpp"

using namespace turboci;
using Plan = nlohmann::ordered_json;

namespace {

using Combination = std::map<std::string, std::string>;

std::string replaced(std::string text, const Combination& values) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        bool found = false;
        for (const auto& [axis, value] : values) {
            const std::string name = "{{" + axis + "}}";
            if (text.compare(i, name.size(), name) != 0) continue;
            out += value;
            i += name.size();
            found = true;
            break;
        }
        if (!found) out += text[i++];
    }
    return out;
}

Plan replaced(const Plan& value, const Combination& values) {
    if (value.is_string()) return replaced(value.get<std::string>(), values);
    Plan out = value;
    if (value.is_structured())
        for (auto& [key, inner] : out.items()) inner = replaced(inner, values);
    return out;
}

Plan merged(const Plan& defaults, const Plan& own) {
    if (!defaults.is_object() || !own.is_object()) return own;
    Plan out = defaults;
    for (const auto& [key, value] : own.items())
        out[key] = out.contains(key) && key != "dependencies" ? merged(out[key], value) : value;
    return out;
}

std::vector<Combination> combinations(const Plan& matrix) {
    std::vector<Combination> all{{}};
    for (const auto& [axis, values] : matrix.items()) {
        if (axis == "exclude") continue;
        std::vector<Combination> next;
        for (const auto& c : all)
            for (const auto& value : values) {
                next.push_back(c);
                next.back()[axis] = value;
            }
        all = next;
    }
    if (!matrix.contains("exclude")) return all;
    std::erase_if(all, [&](const Combination& c) {
        return std::ranges::any_of(matrix["exclude"], [&](const Plan& out) {
            return std::ranges::all_of(out.items(),
                                       [&](const auto& pair) { return c.at(pair.key()) == pair.value(); });
        });
    });
    return all;
}

/// A plan file, and how it is written out.
struct WrittenOut {
    Plan file;
    bool none_left = false;  ///< a reference means nothing
};

/// One node of the written-out file, with where it came from.
struct Node {
    Plan written;  ///< with the defaults
    Combination values;
};

class ByHand {
public:
    explicit ByHand(const Plan& file) {
        for (const std::string list : {"checks", "stages"}) {
            for (const Plan& node : file[list]) {
                const Plan whole = merged(file["defaults"][list == "checks" ? "check" : "stage"], node);
                for (const Combination& c : combinations(whole.value("matrix", Plan::object())))
                    nodes_[list].push_back({whole, c});
            }
        }
    }

    WrittenOut write() {
        for (const std::string list : {"checks", "stages"}) {
            out_.file[list] = Plan::array();
            for (const Node& node : nodes_[list]) {
                Plan written = replaced(node.written, node.values);
                written.erase("matrix");
                for (const std::string key : {"dependencies", "assignments"})
                    if (node.written.contains(key))
                        written[key] = members(node, node.written[key], key == "assignments" ? "checks" : "");
                out_.file[list].push_back(std::move(written));
            }
        }
        return out_;
    }

private:
    Plan members(const Node& from, const Plan& value, const std::string& only) {
        if (value.is_object()) {
            Plan out = value;
            for (const std::string list : {"all", "any", "of"})
                if (out.contains(list)) out[list] = members(from, value[list], only);
            return out;
        }
        Plan out = Plan::array();
        for (const Plan& member : value) {
            if (member.is_object() && !member.contains("node")) {
                out.push_back(members(from, member, only));
                continue;
            }
            const std::string text = member.is_object() ? member["node"] : member;
            for (const std::string& id : meant(from, text, only)) {
                Plan edge = member;
                (member.is_object() ? edge["node"] : edge) = id;
                out.push_back(std::move(edge));
            }
        }
        return out;
    }

    /// Every way to leave some axes of a matrix's id open is tried.
    std::vector<std::string> meant(const Node& from, const std::string& written, const std::string& only) {
        if (written.find("{{") == std::string::npos) return {written};
        const std::string text = replaced(written, from.values);
        const bool bare = written.find(':') == std::string::npos;
        const std::string prefix = bare ? "" : written.substr(0, written.find(':') + 1);
        std::vector<std::string> ids;
        bool is_matrix = false;
        for (const std::string list : {"checks", "stages"}) {
            const std::string type = list == "checks" ? "check:" : "stage:";
            if ((!only.empty() && list != only) || (!bare && prefix != type)) continue;
            for (const Node& node : nodes_[list]) {
                if (!node.written.contains("matrix")) continue;
                const std::string id = node.written["id"];
                if (prefix + id == written) is_matrix = true;
                if (stands_for(prefix + id, text, node) && agree_beside(id, from, node))
                    ids.push_back(prefix + replaced(id, node.values));
            }
        }
        if (ids.empty() && is_matrix) out_.none_left = true;
        if (ids.empty()) ids.push_back(text);
        return ids;
    }
    static bool stands_for(const std::string& id, const std::string& text, const Node& node) {
        const std::size_t ways = std::size_t{1} << node.values.size();
        for (std::size_t way = 0; way < ways; ++way) {
            Combination some;
            std::size_t bit = 0;
            for (const auto& pair : node.values)
                if ((way >> bit++ & 1u) != 0) some.insert(pair);
            if (replaced(id, some) == text) return true;
        }
        return false;
    }
    static bool agree_beside(const std::string& id, const Node& from, const Node& node) {
        return std::ranges::all_of(node.values, [&](const auto& pair) {
            const bool in_id = id.find("{{" + pair.first + "}}") != std::string::npos;
            return in_id || !from.values.contains(pair.first) || from.values.at(pair.first) == pair.second;
        });
    }

    std::map<std::string, std::vector<Node>> nodes_;
    WrittenOut out_;
};

/// Random files. All ids are different, as long as every axis with several values is in the id.
class Files {
public:
    explicit Files(unsigned seed) : random_(seed) {}

    Plan file() {
        Plan file{{"checks", Plan::array()}, {"stages", Plan::array()}};
        check_ids_.clear();
        stage_ids_.clear();
        matrices_.clear();
        for (int i = 0; i < 5; ++i) (i % 2 == 0 ? check_ids_ : stage_ids_).push_back(id(i));
        file["defaults"] = {{"check", defaults(true)}, {"stage", defaults(false)}};
        for (std::size_t i = 0; i < check_ids_.size(); ++i)
            file["checks"].push_back(node(check_ids_[i], true));
        for (std::size_t i = 0; i < stage_ids_.size(); ++i)
            file["stages"].push_back(node(stage_ids_[i], false));
        return file;
    }
    int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

private:
    bool often() { return below(3) > 0; }
    std::string axis() { return std::string(1, "abc"[below(3)]); }
    std::string text() {
        static constexpr std::array kWords{"x",  "{{a}}", "{{b}} {{c}}", "{{{a}}}", "{{ a }}",
                                           "{{", "",      "{{nope}}"};
        return std::string(kWords.at(static_cast<std::size_t>(below(8)))) +
               (often() ? "" : "-{{" + axis() + "}}");
    }
    std::string id(int number) {
        std::string id = "n" + std::to_string(number);
        Plan matrix = Plan::object();
        if (often()) {
            for (int i = 0; i <= below(3); ++i) {
                const std::string name = axis();
                if (matrix.contains(name)) continue;
                matrix[name] = Plan::array();
                for (int v = 0; v <= below(3); ++v) matrix[name].push_back(std::string("v") + "xyz"[v]);
                if (matrix[name].size() > 1 || often()) id += "-{{" + name + "}}";
            }
            if (!often()) {
                const auto any = matrix.begin();
                const std::string name = any.key();
                if (any->size() > 1) matrix["exclude"] = Plan::array({Plan::object({{name, "vx"}})});
            }
        }
        matrices_[id] = matrix;
        return id;
    }
    std::string reference(bool check_only) {
        const bool check = check_only || often();
        const auto& ids = check ? check_ids_ : stage_ids_;
        std::string id = ids.at(static_cast<std::size_t>(below(static_cast<int>(ids.size()))));
        if (!often()) id = replaced(id, {{axis(), "vx"}});
        return check_only || !often() ? id : (check ? "check:" : "stage:") + id;
    }
    Plan list(bool check_only) {
        Plan out = Plan::array();
        for (int i = 0; i <= below(3); ++i) out.push_back(reference(check_only));
        return out;
    }
    Plan predicate(int depth) {
        Plan members = list(false);
        if (!often())
            members.push_back({{"node", reference(false)}, {"when", often() ? "failure" : "always"}});
        if (depth < 2 && !often()) {
            const Plan inner = predicate(depth + 1);
            if (inner.is_object()) members.push_back(inner);
        }
        if (often() && depth == 0) return members;
        if (often()) return {{"any", members}};
        if (often()) return {{"all", members}};
        return {{"at_least", 1}, {"of", members}};
    }
    Plan object(int depth) {
        Plan out = Plan::object();
        for (const std::string key : {"p", "q", "r"}) {
            if (!often()) continue;
            const int what = below(4);
            out[key] = what == 0 && depth < 3 ? object(depth + 1)
                       : what == 1            ? Plan{text(), below(9)}
                                              : Plan(text());
        }
        return out;
    }
    Plan defaults(bool check) {
        Plan out = Plan::object();
        if (often()) out[check ? "options" : "args"] = object(0);
        if (check && often()) out["kind"] = text();
        if (!check && often()) out["retry"] = {{"max_retries", below(5)}, {"backoff", "1s"}};
        if (!check && !often()) out["timeout"] = "5m";
        if (!often()) out["dependencies"] = predicate(0);
        return out;
    }
    Plan node(const std::string& id, bool check) {
        Plan out{{"id", id}};
        if (!matrices_[id].empty()) out["matrix"] = matrices_[id];
        if (often()) out["dependencies"] = predicate(0);
        if (often()) out[check ? "options" : "args"] = object(0);
        if (check && !often()) out["kind"] = text();
        if (!check && often()) out["assignments"] = list(true);
        if (!check && !often()) out["retry"] = {{"max_retries", 9}};
        if (!check && !often()) out["timeout"] = "1m";
        return out;
    }

    std::mt19937 random_;
    std::vector<std::string> check_ids_, stage_ids_;
    std::map<std::string, Plan> matrices_;
};

}  // namespace

TEST_CASE("a file with defaults and matrices says what the file says that is written out by hand") {
    const unsigned seeds = turboci::test::kSanitized ? 150 : 600;
    unsigned compared = 0, refused = 0;
    for (unsigned seed = 0; seed < seeds; ++seed) {
        Files files(seed);
        Plan file = files.file();
        const WrittenOut out = ByHand(file).write();
        if (files.below(2) == 0) {  // the order of keys means nothing
            const Plan defaults = file["defaults"];
            file.erase("defaults");
            file["defaults"] = defaults;
        }
        INFO(file.dump());
        const Reading shorthand = read(file.dump(), "plan.json");
        if (out.none_left) {
            ++refused;
            REQUIRE(shorthand.mentions("no combination of the matrix"));
            continue;
        }
        REQUIRE(shorthand.problems() == std::vector<std::string>{});
        INFO(out.file.dump());
        const Reading longhand = read(out.file.dump(), "plan.json");
        REQUIRE(longhand.problems() == std::vector<std::string>{});
        REQUIRE(shown(shorthand.request) == shown(longhand.request));
        ++compared;
    }
    CHECK(compared > seeds / 3);
    CHECK(refused > seeds / 15);
}
