// SPDX-License-Identifier: Apache-2.0
// Any bytes as the texts of a plan: what is printed of them stays within each output's grammar, and says the
// same.
#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "dot_reader.hpp"
#include "format/graph.hpp"
#include "format/html_page.hpp"
#include "format/json_output.hpp"
#include "format/markdown.hpp"
#include "format/node_collector.hpp"
#include "format/terminal.hpp"
#include "format/terminal_unicode.hpp"
#include "format/trace.hpp"
#include "support/outline_of.hpp"
#include "turboci/error.hpp"
#include "turboci/json_text.hpp"

using namespace turboci;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// Nothing that could steer a terminal or reorder its text; `lines`: line ends are fine.
void require_calm(std::string_view text, bool lines) {
    require(is_valid_utf8(text));
    while (!text.empty()) {
        const CodePoint point = decode_utf8(text);
        require((lines && point.value == '\n') || !is_unsafe_code_point(point.value));
        text.remove_prefix(point.size);
    }
}

std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const CodePoint point = decode_utf8(text);
        width += static_cast<std::size_t>(code_point_width(point.value));
        text.remove_prefix(point.size);
    }
    return width;
}

/// Would a CI runner take the line for a command?
bool is_command(std::string_view line) {
    while (!line.empty()) {
        const CodePoint point = decode_utf8(line);
        if (!point.valid || !is_blank_code_point(point.value)) break;
        line.remove_prefix(point.size);
    }
    return line.starts_with("::") || line.starts_with("##[") || line.starts_with("##vso[");
}

template <class Visit>
void each_line(std::string_view text, const Visit& visit) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        require(end != std::string_view::npos);
        visit(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
}

void terminal(const std::string& text, std::size_t width) {
    const std::string safe = printable(text);
    require_calm(safe, false);
    require(!is_command(safe));
    require_calm(visible(text), false);
    require(display_width(safe) == width_of(safe));
    const std::string cut = fit(safe, width);
    require_calm(cut, false);
    require(display_width(cut) <= width);
    if (display_width(safe) <= width) require(cut == safe);
    require_calm(markdown_code(text), false);
}

void table(const std::vector<std::string>& texts, std::size_t width) {
    Table plain({"A", "B"});
    for (std::size_t i = 0; i + 1 < texts.size(); i += 2) plain.add({{texts[i], {}}, {texts[i + 1], {}}});
    for (const std::size_t w : {std::size_t{0}, std::size_t{20} + width}) {
        const std::string text = plain.render(w, false);
        require_calm(text, true);
        each_line(text, [&](std::string_view line) {
            require(!is_command(line));
            require(!line.ends_with(' '));
        });
    }
}

/// Bad UTF-8 replaced, as JSON does it.
std::string replaced(std::string_view text) {
    const auto value = nlohmann::json::parse(json_string(text), nullptr, false);
    require(value.is_string());
    return value.get<std::string>();
}

void json_and_yaml(const std::string& text) {
    const std::string sound = replaced(text);
    require(is_valid_utf8(sound));
    if (is_valid_utf8(text)) require(sound == text);
    const std::string yaml =
        json_to_yaml("{\"k\":" + json_string(text) + ",\"l\":[" + json_string(text) + "]}");
    for (const char c : yaml) require(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
    const YAML::Node node = YAML::Load(yaml);
    require(node["k"].as<std::string>() == sound);
    require(node["l"][0].as<std::string>() == sound);
}

/// A plan whose nodes are named and described by `texts`.
NodeCollector graph_of(const std::vector<std::string>& texts, std::set<std::string>& refs) {
    NodeCollector graph;
    WorkPlan plan;
    plan.id = "p";
    graph.plan(plan);
    std::vector<Check> checks;
    std::vector<Stage> stages;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (node_id_problem(texts[i])) continue;
        const bool is_check = i % 2 == 0;
        if (!refs.insert((is_check ? "check:" : "stage:") + texts[i]).second) continue;
        Predicate dependencies;
        dependencies.kind = i % 3 == 0 ? GroupKind::any : GroupKind::all;
        if (!checks.empty()) {
            Edge edge;
            edge.target = {NodeType::check, checks.back().id};
            dependencies.edges = {edge, edge};
            dependencies.threshold = i % 3 == 0 ? 1 : 2;
            dependencies.resolution = Resolution::unresolved;
        }
        if (is_check) {
            Check& c = checks.emplace_back();
            c.id = texts[i];
            c.kind = texts[(i + 1) % texts.size()];
            c.dependencies = dependencies;
        } else {
            Stage& s = stages.emplace_back();
            s.id = texts[i];
            s.dependencies = dependencies;
            if (!checks.empty()) s.assignments = {{checks.front().id, State::final}};
        }
    }
    for (const auto& c : checks) graph.check(c);
    for (const auto& s : stages) graph.stage(s);
    return graph;
}

std::string render(const NodeCollector& graph, const GraphOptions& options) {
    std::string text;
    render_graph(support::outline_of(graph), options, [&](std::string_view piece) { text += piece; });
    return text;
}

void dot(const NodeCollector& graph, const std::set<std::string>& refs) {
    const std::string text = render(graph, {.format = GraphFormat::dot, .collapse_by_kind = false});
    require(is_valid_utf8(text));
    for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
    const auto read = fuzz::read_dot(text);
    require(read.has_value());
    std::set<std::string> names, shown;
    for (const auto& [name, attributes] : read->nodes) {
        require(names.insert(name).second);
        const auto meant = fuzz::shown(name);
        require(meant.has_value());
        shown.insert(*meant);
        require(attributes.contains("label") && fuzz::shown(attributes.at("label")).has_value());
        if (attributes.contains("tooltip")) require(fuzz::shown(attributes.at("tooltip")).has_value());
    }
    for (const auto& ref : refs) {
        bool keeps = true;  // nothing in it that XML cannot hold
        for (std::string_view rest = ref; !rest.empty();) {
            const CodePoint point = decode_utf8(rest);
            keeps = keeps && (point.value & 0xfffeu) != 0xfffe;
            rest.remove_prefix(point.size);
        }
        if (keeps) require(shown.contains(ref));
    }
    require(names.size() >= refs.size());
    for (const auto& arrow : read->arrows) require(names.contains(arrow.from) && names.contains(arrow.to));
}

/// No data becomes a tag, a control character or a command, and what is no tag is text.
void pages(const NodeCollector& graph, const std::string& log) {
    const std::string page = html_page(graph, [&](const Stage&, const Attempt&) { return log; });
    const std::size_t begin = page.find("<body>");
    const std::string body = page.substr(begin, page.find("<script>") - begin);
    require(is_valid_utf8(page));
    require_calm(body, true);
    std::vector<std::string> open;
    for (std::size_t at = body.find('<'); at != std::string::npos; at = body.find('<', at + 1)) {
        const std::string tag = body.substr(at + 1, body.find('>', at) - at - 1);
        const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
        if (tag.front() == '/') {
            require(!open.empty() && "/" + open.back() == tag);
            open.pop_back();
        } else if (!tag.ends_with('/') && name != "input") {
            open.push_back(name);
        }
    }
    require(open == std::vector<std::string>{"body"});
    require(nlohmann::json::parse(trace_json(graph), nullptr, false).is_object());
}

void graphs(const std::vector<std::string>& texts) {
    std::set<std::string> refs;
    const NodeCollector graph = graph_of(texts, refs);
    dot(graph, refs);
    for (const bool collapse : {false, true}) {
        for (const bool smaller : {false, true}) {
            const auto drawn = [&](GraphFormat format) {
                return render(
                    graph,
                    {.format = format, .collapse_by_kind = collapse, .merge = smaller, .reduce = smaller});
            };
            const std::string tree = drawn(GraphFormat::tree);
            require_calm(tree, true);
            each_line(tree, [](std::string_view line) { require(!is_command(line)); });
            require(nlohmann::json::parse(drawn(GraphFormat::json), nullptr, false).is_object());
            const std::string mermaid = drawn(GraphFormat::mermaid);
            require(is_valid_utf8(mermaid));
            for (const char c : mermaid) require(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
            require(fuzz::read_dot(drawn(GraphFormat::dot)).has_value());
        }
    }
    pages(graph, texts.front());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4096) return 0;
    const std::size_t width = data[0] % 64;
    // 0xFF never is in UTF-8: it parts the texts.
    std::vector<std::string> texts(1);
    for (std::size_t i = 1; i < size && texts.size() < 16; ++i) {
        if (data[i] == 0xff) {
            texts.emplace_back();
        } else {
            texts.back() += static_cast<char>(data[i]);
        }
    }
    for (const auto& text : texts) {
        terminal(text, width);
        json_and_yaml(text);
    }
    table(texts, width);
    graphs(texts);
    return 0;
}
