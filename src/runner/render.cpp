// SPDX-License-Identifier: Apache-2.0
// The pieces that both views print.
#include <fmt/core.h>

#include <system_error>

#include "format/report_text.hpp"
#include "format/terminal.hpp"
#include "runner/progress_view.hpp"

namespace turboci {

namespace {

constexpr std::size_t kShownChain = 8;

std::string counted(std::int64_t count, std::string_view what, Style style, const ViewOptions& options) {
    return styled(fmt::format("{} {}", count, what), style, options.color);
}

std::string render_chain(const RunSummary& summary, bool utf8) {
    std::string text;
    const std::vector<std::string>& chain = summary.critical_path;
    for (std::size_t i = 0; i < chain.size(); ++i) {
        // The ends of a long chain say more than its middle.
        if (chain.size() > kShownChain && i == kShownChain / 2) {
            const std::size_t left_out = chain.size() - kShownChain;
            text += fmt::format(" > {0} {1} more {0}", ellipsis(utf8), left_out);
            i += left_out;
        }
        if (!text.empty()) text += " > ";
        text += printable(chain[i]);
    }
    return text;
}

}  // namespace

CiDialect ci_dialect(const std::function<const char*(const char*)>& get) {
    const auto is_true = [&](const char* name) {
        const char* value = get(name);
        return value != nullptr && std::string_view(value) == "true";
    };
    if (is_true("GITHUB_ACTIONS")) return CiDialect::github;
    if (is_true("GITLAB_CI")) return CiDialect::gitlab;
    return CiDialect::none;
}

std::string github_escape(std::string_view data, bool property) {
    std::string text;
    for (const char c : data) {
        const bool escape = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
        if (escape) {
            text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        } else {
            text += c;
        }
    }
    return text;
}

namespace {

/// An end that is nobody's failure is not called one.
std::string end_word(const StageEnd& end, const ViewOptions& options) {
    if (end.cause == Cause::cancelled) return styled("cancelled", Style::magenta, options.color);
    if (end.cause && is_interruption(*end.cause)) return styled("interrupted", Style::yellow, options.color);
    return styled("failed", Style::red, options.color);
}

}  // namespace

std::string attempt_text(std::int32_t idx, std::int32_t max_attempts) {
    // Interruptions use up no retry, so there may be more attempts than retries alone allow.
    if (idx > max_attempts) return fmt::format("attempt {}", idx);
    return fmt::format("attempt {} of {}", idx, max_attempts);
}

std::string render_failure(const StageEnd& end, const ViewOptions& options) {
    const std::string attempt =
        end.max_attempts > 1 || end.idx > 1 ? ", " + attempt_text(end.idx, end.max_attempts) : "";
    std::string text =
        end_word(end, options) + fmt::format(" stage:{}: {} ({}{})", printable(end.stage),
                                             printable(*end.failure), human_duration(end.elapsed), attempt);
    if (end.retry_in) {
        text += *end.retry_in > Duration::zero() ? ", again in " + human_duration(*end.retry_in) : ", again";
    }
    text += '\n';
    for (const std::string& line : plain_lines(end.tail)) text += fmt::format("  | {}\n", printable(line));
    if (!end.log_path.empty()) text += fmt::format("  log: {}\n", printable(end.log_path));
    return text;
}

std::string render_summary(const RunSummary& summary, const ViewOptions& options) {
    std::string text;
    if (!summary.nothing_to_run.empty() && (!options.quiet || summary.verdict == Verdict::failed))
        text +=
            fmt::format("nothing to run: {}{}\n", printable(summary.nothing_to_run),
                        summary.verdict == Verdict::failed ? "; start again with `turboci plan rerun`" : "");
    for (const std::string& line : summary.waits_for) text += fmt::format("waiting: {}\n", printable(line));
    if (summary.waits_more > 0)
        text += fmt::format("waiting: {} and {} more\n", ellipsis(options.utf8), summary.waits_more);
    if (summary.survivors > 0) {
        text += fmt::format("warning: {} processes could not be ended\n", summary.survivors);
    }
    if (options.quiet) return text;
    text += counted(summary.passed, "passed", summary.passed > 0 ? Style::green : Style::plain, options) +
            ", " +
            counted(summary.failed, "failed", summary.failed > 0 ? Style::red : Style::plain, options) +
            ", " + counted(summary.skipped, "skipped", Style::plain, options);
    if (summary.cancelled > 0)
        text += ", " + counted(summary.cancelled, "cancelled", Style::magenta, options);
    text += ", " +
            counted(summary.retried, "retried", summary.retried > 0 ? Style::yellow : Style::plain, options);
    text += fmt::format(" in {}", human_duration(summary.elapsed));
    if (summary.failed_checks > 0) {
        text += "; " + styled(fmt::format("{} {} failed", summary.failed_checks,
                                          summary.failed_checks == 1 ? "check" : "checks"),
                              Style::red, options.color);
    }
    if (summary.unfinished > 0) text += fmt::format("; {} not FINAL", summary.unfinished);
    text += '\n';
    if (summary.slowest.size() > 1) {
        text += "slowest:";
        for (std::size_t i = 0; i < summary.slowest.size(); ++i) {
            text += fmt::format("{} {} {}", i == 0 ? "" : ",", printable(summary.slowest[i].stage),
                                human_duration(summary.slowest[i].duration));
        }
        text += '\n';
    }
    if (summary.critical_path.size() > 1) {
        text +=
            fmt::format("critical path ({}, {} of it waiting): {}\n", human_duration(summary.critical_length),
                        human_duration(summary.critical_waiting), render_chain(summary, options.utf8));
    }
    return text;
}

}  // namespace turboci
