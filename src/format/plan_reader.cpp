// SPDX-License-Identifier: Apache-2.0
#include "format/plan_reader.hpp"

#include <fmt/format.h>

#include "domain/quotes.hpp"
#include "format/json_events.hpp"
#include "format/plan_expander.hpp"
#include "format/plan_references.hpp"
#include "format/scalars.hpp"
#include "format/suggest.hpp"
#include "format/text_check.hpp"
#include "format/yaml_events.hpp"

namespace turboci {

PlanReader::PlanReader(WriteNodes& request, FileProblems& problems) : request_(request), problems_(problems) {
    frames_.reserve(kMaxNesting + 1);  // references to the top stay valid
    push(Place::file, {});
}

void PlanReader::push(Place place, Position at) {
    auto& frame = frames_.emplace_back();
    frame.place = place;
    frame.at = at;
}

const KeyRule* PlanReader::expected() noexcept {
    const KeyRule* item = plan_item(top().place);
    return item != nullptr ? item : top().rule;
}

void PlanReader::begin_map(Position at) {
    if (top().place == Place::json) {
        begin_json('{', at);
    } else {
        begin_collection(true, at);
    }
}

void PlanReader::begin_seq(Position at) {
    if (top().place == Place::json) {
        begin_json('[', at);
    } else {
        begin_collection(false, at);
    }
}

void PlanReader::begin_collection(bool map, Position at) {
    if (top().place == Place::labels) {
        problem(at, fmt::format("a label must be a string, not {}", map ? "a map" : "a list"));
        labels_.text += R"("")";  // labels of another document may be merged with these
        push(Place::skip, at);
        return;
    }
    const KeyRule* rule = expected();
    if (rule == nullptr) {
        push(Place::skip, at);
        return;
    }
    bool fits = false;
    switch (rule->form) {
        case Form::map:
        case Form::text_or_map:
        case Form::failure:
        case Form::document:
        case Form::object:
        case Form::labels:
            fits = map;
            break;
        case Form::list:
            fits = !map;
            break;
        case Form::predicate:
        case Form::value:
            fits = true;
            break;
        case Form::text:
        case Form::boolean:
        case Form::integer:
        case Form::duration:
            break;
    }
    if (!fits) {
        wrong_form(*rule, map ? "a map" : "a list", at);
        push(Place::skip, at);
    } else if (rule->form == Form::value) {
        open_value(*rule, map ? '{' : '[', at);
    } else if (map) {
        open_map(*rule, at);
    } else {
        open_list(*rule, at);
    }
}

void PlanReader::open_map(const KeyRule& rule, Position at) {
    if (rule.form == Form::object) {
        open_object(rule, at);
        return;
    }
    if (rule.form == Form::predicate) {
        auto& member = members_.emplace_back();
        member.into = &predicate_of(rule.slot, at);
        member.group.at = at;
        push(Place::group, at);
        return;
    }
    PredicateSpec* list = top().into;
    push(rule.inside, at);
    switch (rule.inside) {
        case Place::check:
            begin_node(check_, at);
            break;
        case Place::stage:
            begin_node(stage_, at);
            break;
        case Place::result:
            check_.results.emplace_back().at = at;
            owner_ = {};
            break;
        case Place::retry:
            stage_.retry.emplace();
            break;
        case Place::attempt:
            stage_.attempt.emplace().at = at;
            in_attempt_ = true;
            break;
        case Place::message:
            stage_.attempt->progress.emplace_back();
            break;
        case Place::assignment:
            stage_.assignments->emplace_back().at = at;
            break;
        case Place::member: {
            auto& member = members_.emplace_back();
            member.into = list;
            member.edge.at = member.group.at = at;
            break;
        }
        case Place::labels:
            labels_.text = "{";
            break;
        case Place::defaults:
            needs_expansion_ = in_defaults_ = true;
            break;
        case Place::matrix:
            needs_expansion_ = true;
            top().place = Place::skip;
            break;
        default:
            break;
    }
}

template <class Write>
void PlanReader::begin_node(Write& write, Position at) {
    if (write.dependencies) {
        spare_edges_.swap(write.dependencies->edges);
        spare_edges_.clear();
    }
    write = {};
    write.at = at;
}

void PlanReader::open_list(const KeyRule& rule, Position at) {
    if (rule.form == Form::predicate) {
        auto& predicate = predicate_of(rule.slot, at);
        push(Place::members, at);
        open_members(predicate);
    } else if (rule.inside == Place::members) {
        open_group_list(rule, at);
    } else {
        if (rule.inside == Place::assignments) stage_.assignments.emplace();
        push(rule.inside, at);
    }
    top().list = rule.name;
}

void PlanReader::open_object(const KeyRule& rule, Position at) {
    switch (rule.slot) {
        case Slot::check_options:
            json_into_ = &check_.options.emplace();
            break;
        case Slot::result_data:
            json_into_ = &check_.results.back().data.emplace();
            break;
        case Slot::stage_args:
            json_into_ = &stage_.args.emplace();
            args_.emplace();
            args_sound_ = true;
            break;
        case Slot::attempt_details:
            json_into_ = &stage_.attempt->details.emplace();
            break;
        default:
            json_into_ = &stage_.attempt->progress.back().second;
            break;
    }
    json_ = "{";
    push(Place::json, at);
}

void PlanReader::open_value(const KeyRule& rule, char bracket, Position at) {
    value_rule_ = &rule;
    value_at_ = at;
    value_problems_ = problems_.size();
    json_ = bracket;
    push(Place::json, at);
}

void PlanReader::begin_json(char bracket, Position at) {
    json_comma();
    json_ += bracket;
    if (args_) judge_args(args_->begin(bracket == '{'), at);
    push(Place::json, at);
}

/// Of a map or list whose frame has been taken away.
void PlanReader::end_json(char bracket, Position at) {
    json_ += bracket;
    if (top().place == Place::json) {
        if (args_) judge_args(args_->end(), at);
        return;
    }
    if (value_rule_ != nullptr) return put_value();
    json_into_->text = json_;
    // What was reported here would only be found again by those who do not know its place.
    if (args_ && !args_sound_) stage_.args.reset();
    args_.reset();
}

/// What is said of the value at `at` within a stage's args.
void PlanReader::judge_args(std::string problem, Position at) {
    if (problem.empty()) return;
    args_sound_ = false;
    this->problem(at, std::move(problem));
}

/// Before an item of a list; a map's comma comes before its key.
void PlanReader::json_comma() {
    auto& frame = top();
    if (frame.rule != nullptr) {  // the value of a key
        frame.rule = nullptr;
        return;
    }
    if (!frame.first) json_ += ',';
    frame.first = false;
}

void PlanReader::end_map(Position) {
    const Frame frame = top();
    frames_.pop_back();
    if (frame.place == Place::json) {
        end_json('}', frame.at);
    } else if (frame.place != Place::skip) {
        close_map(frame);
    }
}

void PlanReader::end_seq(Position) {
    const Frame frame = top();
    frames_.pop_back();
    if (frame.place == Place::json) end_json(']', frame.at);
}

void PlanReader::close_map(const Frame& frame) {
    const auto keys = plan_keys(frame.place);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].required && (frame.seen >> i & 1u) == 0 && !is_default_node(frame.place)) {
            problem(frame.at, fmt::format("'{}' is missing", keys[i].name));
        }
    }
    switch (frame.place) {
        // What has no name was reported and could be nothing but a second problem for others.
        case Place::check:
            if (!check_.id.empty()) request_.checks.push_back(check_);
            break;
        case Place::stage:
            if (!stage_.id.empty()) request_.stages.push_back(stage_);
            break;
        case Place::result:
            close_owner();
            break;
        case Place::attempt:
            in_attempt_ = false;
            break;
        case Place::group:
        case Place::member:
            close_member(frame);
            break;
        case Place::labels:
            labels_.text += '}';
            add_labels();
            break;
        case Place::defaults:
            in_defaults_ = false;
            break;
        default:
            break;
    }
}

/// What stands in `defaults` is read to tell what is wrong with it, and makes no node.
bool PlanReader::is_default_node(Place place) const noexcept {
    return in_defaults_ && (place == Place::check || place == Place::stage);
}

/// Labels of several documents are merged: of a name that comes again the last value counts.
void PlanReader::add_labels() {
    if (!request_.labels) {
        request_.labels = labels_;
        return;
    }
    if (labels_.text == "{}") return;
    later_labels_ += later_labels_.empty() ? '{' : ',';
    later_labels_.append(labels_.text, 1, labels_.text.size() - 2);
}

void PlanReader::finish() {
    if (later_labels_.empty()) return;
    request_.labels = merge_patch(request_.labels.value(), {later_labels_ + "}"});
}

void PlanReader::key(std::string_view text, Position at) {
    auto& frame = top();
    frame.rule = nullptr;
    if (frame.place == Place::skip) return;
    if (frame.place == Place::json || frame.place == Place::labels) {
        static constexpr KeyRule kAny{"", Form::object};
        std::string& out = frame.place == Place::json ? json_ : labels_.text;
        if (frame.place == Place::labels && has_control_character(text))
            problem(at, fmt::format("the label's name has a control character: {}", in_quotes(text)));
        if (!frame.first) out += ',';
        frame.first = false;
        frame.rule = &kAny;
        append_json_text(out, text);
        out += ':';
        if (args_) args_key(text, at);
        return;
    }
    const auto keys = plan_keys(frame.place);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].name != text) continue;
        frame.seen |= 1u << i;
        if (in_defaults_ && is_default_node(frame.place) && (text == "id" || text == "matrix"))
            return problem(at, fmt::format("'defaults' cannot say '{}': it is each node's own", text));
        frame.rule = &keys[i];
        // Until it is known, and if it is wrong, which is reported then: one that any group can have.
        if (keys[i].slot == Slot::member_at_least) members_.back().group.at_least = 1;
        return;
    }
    if (frame.place == Place::document && text.starts_with("x-")) return;  // a place for anchors
    unknown_key(text, at);
}

void PlanReader::args_key(std::string_view text, Position at) {
    judge_args(args_->key(text), at);
    // Keys of the args themselves: what lies deeper is nobody's business.
    if (frames_[frames_.size() - 2].place == Place::json) return;
    if (const auto meant = meant_stage_arg(text); !meant.empty())
        problems_.warn(
            at, fmt::format("{} means nothing to 'turboci run'; did you mean '{}'?", in_quotes(text), meant));
}

void PlanReader::unknown_key(std::string_view text, Position at) {
    if (problems_.full()) return problem(at, {});
    if (const auto ours = plan_key_elsewhere(top().place, text); !ours.empty())
        return problem(at, fmt::format("unknown key {}; it is '{}' here", in_quotes(text), ours));
    std::vector<std::string_view> known;
    for (const auto& k : plan_keys(top().place)) known.push_back(k.name);
    const auto near = nearest(text, known);
    if (!near.empty()) {
        problem(at, fmt::format("unknown key {}; did you mean '{}'?", in_quotes(text), near));
    } else {
        problem(at, fmt::format("unknown key {}; known here: {}", in_quotes(text), fmt::join(known, ", ")));
    }
}

void PlanReader::scalar(const Scalar& scalar, Position at) {
    switch (top().place) {
        case Place::skip:
            return;
        case Place::labels:
            label(scalar, at);
            return;
        case Place::json: {
            json_comma();
            const auto why_not = append_json_scalar(json_, scalar);
            if (!why_not.empty()) {
                problem(at, why_not);
            } else if (args_) {
                args_scalar(scalar, at);
            }
            return;
        }
        default:
            break;
    }
    const KeyRule* rule = expected();
    if (rule != nullptr && scalar.kind != ScalarKind::invalid) put_scalar(*rule, scalar, at);
}

void PlanReader::args_scalar(const Scalar& scalar, Position at) {
    const bool said_before = scalar.kind == ScalarKind::invalid;
    if (scalar.kind == ScalarKind::string) {
        judge_args(args_->string(scalar.text), at);
    } else if (scalar.kind == ScalarKind::null) {
        judge_args(args_->null(), at);
    } else if (!said_before) {
        judge_args(args_->other(), at);
    }
}

void PlanReader::label(const Scalar& scalar, Position at) {
    if (scalar.kind == ScalarKind::null)
        problem(at, "a label must be a string, not null");
    else if (has_control_character(scalar.text))
        problem(at, fmt::format("the label has a control character: {}", in_quotes(scalar.text)));
    append_json_text(labels_.text, scalar.text);
}

void PlanReader::wrong_form(const KeyRule& rule, std::string_view found, Position at) {
    if (plan_item(top().place) == nullptr) {
        problem(at, fmt::format("'{}' must be {}, not {}", rule.name, describe(rule.form), found));
    } else if (top().place == Place::file) {
        problem(at, fmt::format("{} must be {}, not {}", rule.name, describe(rule.form), found));
    } else {
        problem(at,
                fmt::format("an item of '{}' must be {}, not {}", top().list, describe(rule.form), found));
    }
}

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

/// Does a text that begins with a bracket go on as JSON does, with a quote? YAML's flow style may leave
/// quotes away.
bool is_quoted_flow(std::string_view text) {
    const auto second = text.find_first_not_of(kBlanks, text.find_first_not_of(kBlanks) + 1);
    return second != std::string_view::npos && text[second] == '"';
}

/// Is a text that begins with a bracket and is no JSON meant to be JSON all the same? Most of what is wrong
/// in JSON is right in YAML and means something else: [tru] is a list of a string. So the name decides where
/// the content leaves it open; but a document behind a whole one, after "---", is YAML's alone.
bool is_meant_as_json(std::string_view text, std::string_view name, Position error) {
    if (!name.ends_with(".json") && !name.ends_with(".JSON")) return false;
    std::size_t line = 0;
    for (std::uint32_t n = 1; n < error.line; ++n) line = text.find('\n', line) + 1;
    const bool next_document = error.line > 1 && text.substr(line).starts_with("---");
    return !next_document && (is_quoted_flow(text) || text[text.find_first_not_of(kBlanks)] == '[');
}

/// Reads the nodes that `source` tells of: a function of an EventSink and of the file's problems. A file with
/// defaults or matrices is read again to expand them, and a third time if defaults stood behind the nodes.
/// `expansion` has what files before came to, apart from their matrices, and gets those of this one.
template <class Source>
ReadEnd read_nodes(const Source& source, WriteNodes& request, FileProblems& problems, Expansion& expansion) {
    const WriteNodes before = request;
    PlanReader reader(request, problems);
    ReadEnd end = source(reader, problems);
    reader.finish();
    if (!reader.needs_expansion()) return end;
    PlanExpander::Defaults defaults;
    for (bool done = false; !done;) {
        request = before;
        problems = {};
        PlanExpander expander(request, problems, expansion, defaults);
        end = source(expander, problems);
        done = expander.finish();
        if (!expander.is_whole() && end == ReadEnd::complete) end = ReadEnd::refused;
        if (done) expansion = expander.take();
    }
    return end;
}

/// Reads as JSON what is JSON, all else as YAML, of which JSON is not quite a part. True if to the end.
bool read_events(const PlanText& file, std::string_view text, std::uint32_t number, WriteNodes& request,
                 FileProblems& problems, Expansion& expansion) {
    const WriteNodes before = request;
    FileProblems json_problems;
    bool tried = false;
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
        tried = true;
        const auto json = [&](EventSink& sink, FileProblems& found) {
            return read_json_events(text, number, sink, found);
        };
        Expansion with_json = expansion;
        const ReadEnd end = read_nodes(json, request, json_problems, with_json);
        if (end != ReadEnd::syntax) {
            problems = std::move(json_problems);
            expansion = std::move(with_json);
            return end == ReadEnd::complete;
        }
        request = before;
        if (is_meant_as_json(text, file.name, json_problems.last().at)) {
            const auto& why = json_problems.last();
            problems.add(why.code, why.at, why.message);
            return false;
        }
    }
    const auto yaml = [&](EventSink& sink, FileProblems& found) {
        return read_yaml_events(text, number, sink, found);
    };
    const ReadEnd end = read_nodes(yaml, request, problems, expansion);
    if (end == ReadEnd::syntax && tried &&
        (is_quoted_flow(text) || file.name.ends_with(".json") || file.name.ends_with(".JSON"))) {
        problems = {};
        const auto& why = json_problems.last();
        problems.add(why.code, why.at, why.message);
    }
    return end == ReadEnd::complete;
}

}  // namespace

struct PlanFileReader::State {
    WriteNodes& request;
    Problems& problems;
    Expansion expansion;
};

PlanFileReader::PlanFileReader(WriteNodes& request, Problems& problems)
    : state_(std::make_unique<State>(State{request, problems, {}})) {}
PlanFileReader::~PlanFileReader() = default;

bool PlanFileReader::read(const PlanText& file) {
    WriteNodes& request = state_->request;
    const auto number = static_cast<std::uint32_t>(request.files.size());
    request.files.push_back(file.name);
    FileProblems found;
    bool whole = false;
    if (file.text.size() > kMaxPlanFileBytes) {
        found.add({number, 1, 1}, fmt::format("the file has {} bytes; {} MiB at most", file.text.size(),
                                              kMaxPlanFileBytes >> 20));
    } else if (const auto text = skip_bom(file.text); check_text(text, number, found)) {
        // Apart from the nodes of other files: those of this one may have to be read again.
        WriteNodes own;
        own.reason = request.reason;
        own.actor = request.actor;
        own.if_version = request.if_version;
        own.op_id = request.op_id;
        own.plan = request.plan;
        Expansion& all = state_->expansion;
        Expansion expansion{{}, all.nodes, all.budget};
        expansion.budget.add_file(text.size());
        whole = read_events(file, text, number, own, found, expansion);
        request.reason = std::move(own.reason);
        request.actor = std::move(own.actor);
        request.if_version = own.if_version;
        request.op_id = std::move(own.op_id);
        const bool says_nothing = own.checks.empty() && own.stages.empty() && own.limits.empty() &&
                                  (!own.labels || own.labels->text == "{}");
        if (whole && says_nothing && found.empty())
            found.warn({number, 1, 1},
                       "the file has no check, no stage, no limit and no label: there is nothing to write");
        if (own.labels)
            request.labels = request.labels ? merge_patch(*request.labels, *own.labels) : own.labels;
        if (!own.limits.empty()) request.limits_at = own.limits_at;
        request.limits.insert(request.limits.end(), own.limits.begin(), own.limits.end());
        all.append(std::move(expansion), request.checks.size(), request.stages.size());
        request.checks.append(std::move(own.checks));
        request.stages.append(std::move(own.stages));
    }
    found.move_to(state_->problems);
    return whole;
}

bool PlanFileReader::finish() {
    Expansion& expansion = state_->expansion;
    if (expansion.matrices.empty()) return true;
    return MatrixReferences(expansion.matrices, expansion.budget, state_->problems).resolve(state_->request);
}

bool read_plan_text(const PlanText& file, WriteNodes& request, Problems& problems) {
    PlanFileReader reader(request, problems);
    const bool whole = reader.read(file);
    return reader.finish() && whole;
}

}  // namespace turboci
