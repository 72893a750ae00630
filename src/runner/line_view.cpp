// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <chrono>
#include <set>

#include "format/terminal.hpp"
#include "runner/progress_view.hpp"

namespace turboci {

namespace {

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

class LineView final : public RunListener {
public:
    LineView(TextOutput out, ViewOptions options) : out_(std::move(out)), options_(options) {}

    void on_start(const StageStart& start) override {
        if (options_.quiet) return;
        const std::string attempt =
            start.idx > 1 ? fmt::format(" ({})", attempt_text(start.idx, start.max_attempts)) : "";
        out_(fmt::format("start  stage:{}{}\n", printable(start.stage), attempt));
    }

    void on_end(const StageEnd& end) override {
        if (options_.quiet && !end.failure) return;
        std::string text = end.failure ? render_failure(end, options_)
                                       : styled("passed", Style::green, options_.color) +
                                             fmt::format(" stage:{} ({})\n", printable(end.stage),
                                                         human_duration(end.elapsed));
        switch (options_.dialect) {
            case CiDialect::none:
                break;
            case CiDialect::github:
                text = github_lines(end, text);
                break;
            case CiDialect::gitlab:
                text = gitlab_lines(text);
                break;
        }
        out_(text);
        if (end.cause == Cause::cancelled) cancelled_.insert(end.stage);
    }

    void on_final(const NodeRef& node, Outcome outcome) override {
        if (options_.quiet && outcome != Outcome::failed) return;
        // What a stage's attempt came to has been told already.
        if (node.type == NodeType::stage && outcome != Outcome::skipped &&
            (outcome != Outcome::cancelled || cancelled_.erase(node.id) > 0))
            return;
        out_(fmt::format("{} {}\n",
                         styled(fmt::format("{:<6}", to_string(outcome)),
                                style_of(node.type, State::final, outcome), options_.color),
                         printable(to_string(node))));
        if (options_.dialect == CiDialect::github && node.type == NodeType::check &&
            outcome == Outcome::failed) {
            out_(fmt::format("::error title={}::{} failed\n", github_escape(printable(to_string(node)), true),
                             github_escape(printable(to_string(node)), false)));
        }
    }

    void on_note(const std::string& text) override { out_(fmt::format("note   {}\n", printable(text))); }
    void on_progress(const RunProgress&) override {}
    void on_summary(const RunSummary& summary) override { out_(render_summary(summary, options_)); }

private:
    /// The first line stays in sight, the rest folds; a failure becomes an annotation.
    std::string github_lines(const StageEnd& end, const std::string& text) const {
        const std::size_t first = text.find('\n') + 1;
        std::string lines = text;
        if (first < text.size()) {
            lines = fmt::format("::group::{}\n{}::endgroup::\n",
                                github_escape(text.substr(0, first - 1), false), text.substr(first));
        }
        if (end.failure && !end.retry_in) {
            const bool wanted = end.cause == Cause::cancelled;
            lines += fmt::format("::{} title={}::{}\n", wanted ? "warning" : "error",
                                 github_escape("stage:" + printable(end.stage), true),
                                 github_escape(printable(*end.failure), false));
        }
        return lines;
    }

    std::string gitlab_lines(const std::string& text) {
        const std::size_t first = text.find('\n') + 1;
        if (first == text.size()) return text;
        // The name of a section is ours alone: data in it could close another section.
        const std::string name = fmt::format("turboci_{}", ++sections_);
        return fmt::format(
            "\x1b[0Ksection_start:{}:{}[collapsed=true]\r\x1b[0K{}{}\x1b[0Ksection_end:{}:{}\r\x1b[0K\n",
            unix_seconds(), name, text.substr(0, first), text.substr(first), unix_seconds(), name);
    }

    TextOutput out_;
    ViewOptions options_;
    int sections_ = 0;
    std::set<std::string> cancelled_;  ///< stages whose end was told with their attempt's
};

}  // namespace

std::unique_ptr<RunListener> make_line_view(TextOutput out, ViewOptions options) {
    return std::make_unique<LineView>(std::move(out), options);
}

}  // namespace turboci
