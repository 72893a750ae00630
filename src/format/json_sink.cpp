// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "format/json_output.hpp"

namespace turboci {

void JsonSink::plan(const WorkPlan& plan) {
    out_ += R"({"plan":)";
    append_json(out_, plan);
    out_ += R"(,"checks":[)";
}

void JsonSink::check(const Check& check) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json(out_, check);
}

void JsonSink::stage(const Stage& stage) {
    begin_stages();
    if (!first_) out_ += ',';
    first_ = false;
    append_json(out_, stage);
}

void JsonSink::begin_stages() {
    if (in_stages_) return;
    in_stages_ = true;
    first_ = true;
    out_ += R"(],"stages":[)";
}

std::string JsonSink::take() {
    begin_stages();
    out_ += "]}";
    return std::move(out_);
}

std::string indent_json(std::string_view compact) {
    // Deeper levels stand below each other, so that the output of deep documents stays linear.
    constexpr std::size_t kDeepestIndent = 200;
    std::string out;
    out.reserve(compact.size() * 2);
    std::size_t depth = 0;
    const auto new_line = [&] {
        out += '\n';
        out.append(std::min(depth * 2, kDeepestIndent), ' ');
    };
    const auto next_solid = [&](std::size_t at) {
        while (at < compact.size() &&
               (compact[at] == ' ' || compact[at] == '\t' || compact[at] == '\r' || compact[at] == '\n'))
            ++at;
        return at;
    };
    for (std::size_t i = next_solid(0); i < compact.size(); i = next_solid(i)) {
        const char c = compact[i];
        std::size_t end = i + 1;
        if (c == '"') {
            while (end < compact.size() && compact[end] != '"') end += compact[end] == '\\' ? 2 : 1;
            end = std::min(end + 1, compact.size());
            out.append(compact, i, end - i);
        } else if (c == '{' || c == '[') {
            out += c;
            const std::size_t next = next_solid(end);
            if (next < compact.size() && (compact[next] == '}' || compact[next] == ']')) {
                out += compact[next];
                end = next + 1;
            } else {
                ++depth;
                new_line();
            }
        } else if (c == '}' || c == ']') {
            if (depth > 0) --depth;
            new_line();
            out += c;
        } else if (c == ',') {
            out += c;
            new_line();
        } else if (c == ':') {
            out += ": ";
        } else {
            const auto in_scalar = [](char d) { return d > ' ' && d != ',' && d != ']' && d != '}'; };
            while (end < compact.size() && in_scalar(compact[end])) ++end;
            out.append(compact, i, end - i);
        }
        i = end;
    }
    return out;
}

}  // namespace turboci
