// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "runner/progress_view.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace std::chrono_literals;

namespace {

StageEnd failure(const std::string& stage) {
    StageEnd end;
    end.stage = stage;
    end.failure = "exit status 3";
    end.elapsed = 1500ms;
    end.tail = "compiling\n::error::forged\n\x1b[31mred\x1b[0m\tcell\r\n10%\r99%";
    end.log_path = "/s/t.db.logs/p/x.1.log";
    return end;
}

StageEnd success(const std::string& stage) {
    StageEnd end;
    end.stage = stage;
    end.elapsed = 20ms;
    return end;
}

/// A terminal that understands what the live view writes: text, \r, \n, cursor up, erase the line.
class Screen {
public:
    explicit Screen(std::size_t columns) : columns_(columns), lines_(1) {}
    void write(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\n') {
                ++row_;
                column_ = 0;
                if (row_ == lines_.size()) lines_.emplace_back();
            } else if (text[i] == '\r') {
                column_ = 0;
            } else if (text[i] == '\x1b') {
                std::size_t number = 0;
                for (i += 2; text[i] >= '0' && text[i] <= '9'; ++i) number = number * 10 + (text[i] - '0');
                if (text[i] == 'A') row_ -= std::min(row_, number);
                if (text[i] == 'K' && number == 2) lines_[row_].clear();
                REQUIRE(text[i] !=
                        'J');  // some terminals keep in their history what this takes off the screen
            } else {
                if (column_ == columns_) {
                    ++row_;
                    column_ = 0;
                    if (row_ == lines_.size()) lines_.emplace_back();
                }
                std::string& line = lines_[row_];
                if (line.size() <= column_) line.resize(column_ + 1, ' ');
                line[column_++] = text[i];
            }
        }
    }
    /// As far as there is text, or the cursor.
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> shown = lines_;
        while (shown.size() > row_ + 1 && shown.back().empty()) shown.pop_back();
        return shown;
    }

private:
    std::size_t columns_;
    std::vector<std::string> lines_;
    std::size_t row_ = 0;
    std::size_t column_ = 0;
};

RunProgress progress(std::int64_t done, std::vector<RunProgress::Running> running, Duration elapsed) {
    RunProgress p;
    p.done = done;
    p.total = 10;
    p.running = std::move(running);
    p.elapsed = elapsed;
    return p;
}

}  // namespace

TEST_CASE("Without a terminal each event is a line") {
    std::string text;
    const auto view = make_line_view([&](std::string_view t) { text += t; }, {});
    view->on_start({"build", 1, 2, "log"});
    view->on_end(success("build"));
    StageEnd again = failure("test");
    again.max_attempts = 2;
    again.retry_in = 5s;
    again.tail.clear();
    again.log_path.clear();
    view->on_end(again);
    view->on_start({"test", 2, 2, "log"});
    view->on_final({NodeType::stage, "deploy"}, Outcome::skipped);
    view->on_final({NodeType::stage, "build"}, Outcome::passed);
    view->on_final({NodeType::check, "built"}, Outcome::passed);
    view->on_note("something");
    CHECK(text ==
          "start  stage:build\n"
          "passed stage:build (20ms)\n"
          "failed stage:test: exit status 3 (1.5s, attempt 1 of 2), again in 5.0s\n"
          "start  stage:test (attempt 2 of 2)\n"
          "skipped stage:deploy\n"
          "passed check:built\n"
          "note   something\n");
}

TEST_CASE("What was cancelled or interrupted is not called failed, and told once") {
    std::string text;
    const auto view = make_line_view([&](std::string_view t) { text += t; }, {});
    StageEnd end = failure("x");
    end.tail.clear();
    end.log_path.clear();
    end.failure = "superseded";
    end.cause = Cause::cancelled;
    view->on_end(end);
    view->on_final({NodeType::stage, "x"}, Outcome::cancelled);
    view->on_final({NodeType::stage, "planned"}, Outcome::cancelled);
    end.failure = "interrupted by signal 2 (SIGINT)";
    end.cause = Cause::interrupted;
    end.idx = 2;
    end.retry_in = Duration::zero();
    view->on_end(end);
    view->on_start({"x", 3, 1, "log"});
    CHECK(text ==
          "cancelled stage:x: superseded (1.5s)\n"
          "cancelled stage:planned\n"
          "interrupted stage:x: interrupted by signal 2 (SIGINT) (1.5s, attempt 2), again\n"
          "start  stage:x (attempt 3)\n");
}

TEST_CASE("A failure shows the last output, without what only a terminal understands, and the log") {
    std::string text;
    const auto view = make_line_view([&](std::string_view t) { text += t; }, {});
    view->on_end(failure("x"));
    CHECK(text.find("failed stage:x: exit status 3 (1.5s)\n  | compiling\n") == 0);
    CHECK(text.find("  | red     cell\n  | 99%\n  log: /s/t.db.logs/p/x.1.log\n") != std::string::npos);
    CHECK(text.find("\n::error::forged") == std::string::npos);
}

TEST_CASE("Quiet tells failures only") {
    std::string text;
    ViewOptions options;
    options.quiet = true;
    const auto view = make_line_view([&](std::string_view t) { text += t; }, options);
    view->on_start({"build", 1, 1, "log"});
    view->on_end(success("build"));
    view->on_final({NodeType::check, "built"}, Outcome::passed);
    view->on_summary({});
    CHECK(text.empty());
    view->on_end(failure("x"));
    CHECK(text.find("failed stage:x") == 0);
}

TEST_CASE("The environment tells whose log it is") {
    const auto with = [](const char* name, const char* value) {
        return ci_dialect([=](const char* asked) { return std::strcmp(asked, name) == 0 ? value : nullptr; });
    };
    CHECK(with("GITHUB_ACTIONS", "true") == CiDialect::github);
    CHECK(with("GITLAB_CI", "true") == CiDialect::gitlab);
    CHECK(with("GITHUB_ACTIONS", "false") == CiDialect::none);
    CHECK(with("HOME", "/root") == CiDialect::none);
}

TEST_CASE("For GitHub a failure is a group and an annotation that data cannot break out of") {
    std::string text;
    ViewOptions options;
    options.dialect = CiDialect::github;
    const auto view = make_line_view([&](std::string_view t) { text += t; }, options);
    StageEnd end = failure("x: 100%, y");
    end.failure = "50%\n::error::forged";
    view->on_end(end);
    CHECK(text.find("::group::failed stage:x: 100%25, y") == 0);
    CHECK(text.find("\n::endgroup::\n::error title=stage%3Ax%3A 100%25%2C y::50%25") != std::string::npos);
    CHECK(text.find("\n::error::forged") == std::string::npos);
    CHECK(github_escape("a%\r\n:,", false) == "a%25%0D%0A:,");
    CHECK(github_escape("a%\r\n:,", true) == "a%25%0D%0A%3A%2C");
}

TEST_CASE("For GitHub an attempt that is followed by another is no error yet") {
    std::string text;
    ViewOptions options;
    options.dialect = CiDialect::github;
    const auto view = make_line_view([&](std::string_view t) { text += t; }, options);
    StageEnd end = failure("x");
    end.retry_in = 0s;
    end.tail.clear();
    end.log_path.clear();
    view->on_end(end);
    CHECK(text == "failed stage:x: exit status 3 (1.5s), again\n");
}

TEST_CASE("For GitLab a failure is a section whose name is ours") {
    std::string text;
    ViewOptions options;
    options.dialect = CiDialect::gitlab;
    const auto view = make_line_view([&](std::string_view t) { text += t; }, options);
    StageEnd end = failure("section_end:1:turboci_1");
    view->on_end(end);
    CHECK(text.find("\x1b[0Ksection_start:") == 0);
    CHECK(text.find(":turboci_1[collapsed=true]\r\x1b[0Kfailed stage:section_end:1:turboci_1") !=
          std::string::npos);
    CHECK(text.find("\x1b[0Ksection_end:") != std::string::npos);
    CHECK(text.find(":turboci_1\r\x1b[0K\n") == text.size() - std::strlen(":turboci_1\r\x1b[0K\n"));
}

TEST_CASE("The live view redraws in place and keeps what matters above it") {
    Screen screen(60);
    {
        const auto view = make_live_view([&](std::string_view t) { screen.write(t); }, {},
                                         [] {
                                             return TerminalSize{60, 10};
                                         });
        view->on_progress(progress(1, {{"compile", 2s}, {"lint", 1s}}, 3s));
        CHECK(screen.lines().size() == 3);
        CHECK(screen.lines().at(0).find("1/10  2 running  3.0s") != std::string::npos);
        CHECK(screen.lines().at(1) == "    2.0s  compile");
        view->on_progress(progress(2, {{"lint", 2s}}, 4s));
        CHECK(screen.lines().size() == 2);
        CHECK(screen.lines().at(1) == "    2.0s  lint");
        StageEnd end = failure("lint");
        end.tail = "bad\n";
        view->on_end(end);
        CHECK(screen.lines().at(0) == "failed stage:lint: exit status 3 (1.5s)");
        CHECK(screen.lines().at(1) == "  | bad");
        CHECK(screen.lines().at(3).find("2/10") != std::string::npos);
        RunSummary summary;
        summary.passed = 9;
        summary.failed = 1;
        summary.elapsed = 5s;
        view->on_summary(summary);
    }
    CHECK(screen.lines().at(3) == "9 passed, 1 failed, 0 skipped, 0 retried in 5.0s");
    CHECK(screen.lines().size() == 5);
    CHECK(screen.lines().at(4).empty());
}

TEST_CASE("A narrower terminal wraps the old view, and all of it is taken away") {
    // What was drawn at 60 columns takes more rows at 30.
    TerminalSize size{60, 10};
    std::string text;
    const auto view = make_live_view([&](std::string_view t) { text = t; }, {}, [&] { return size; });
    view->on_progress(progress(1, {{std::string(80, 'x'), 2s}}, 3s));
    size.columns = 30;
    view->on_resize();
    // Two lines of up to 59 columns each: four rows of 30.
    CHECK(text.find("\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K[") == 0);
}

TEST_CASE("A small terminal gets as many lines as it has") {
    Screen screen(40);
    const auto view = make_live_view([&](std::string_view t) { screen.write(t); }, {},
                                     [] {
                                         return TerminalSize{40, 4};
                                     });
    view->on_progress(progress(1, {{"a", 9s}, {"b", 8s}, {"c", 7s}}, 3s));
    CHECK(screen.lines().size() == 3);
    CHECK(screen.lines().at(2) == "  … and 2 more");
}

TEST_CASE("What the views write is ASCII where the reader's character set is") {
    ViewOptions options;
    options.utf8 = false;
    std::string text;
    const auto view = make_live_view([&](std::string_view t) { text += t; }, options,
                                     [] {
                                         return TerminalSize{20, 4};
                                     });
    view->on_progress(progress(1, {{"a-name-that-is-cut", 9s}, {"b", 8s}, {"c", 7s}}, 3s));
    RunSummary summary;
    summary.waits_for = {"x"};
    summary.waits_more = 3;
    summary.critical_path = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    view->on_summary(summary);
    CHECK(std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
    CHECK(text.find("  ... and") != std::string::npos);
    CHECK(text.find("waiting: ... and 3 more\n") != std::string::npos);
    CHECK(text.find("d > ... 2 more ... > g") != std::string::npos);
}

TEST_CASE("A view that goes without a summary leaves a clean line") {
    Screen screen(60);
    {
        const auto view = make_live_view([&](std::string_view t) { screen.write(t); }, {},
                                         [] {
                                             return TerminalSize{60, 10};
                                         });
        view->on_progress(progress(1, {{"compile", 2s}}, 3s));
    }
    CHECK(screen.lines() == std::vector<std::string>{""});
}

TEST_CASE("A summary says what happened, what took long and what is waited for") {
    RunSummary s;
    s.passed = 3;
    s.failed = 1;
    s.skipped = 2;
    s.cancelled = 1;
    s.retried = 4;
    s.failed_checks = 1;
    s.unfinished = 2;
    s.elapsed = 3723s;
    s.slowest = {{"build", 61s}, {"te\nst", 500ms}};
    s.critical_path = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    s.critical_length = 100s;
    s.critical_waiting = 2500ms;
    s.waits_for = {"check:approved waits for somebody to report"};
    s.waits_more = 7;
    CHECK(render_summary(s, {}) ==
          "waiting: check:approved waits for somebody to report\n"
          "waiting: … and 7 more\n"
          "3 passed, 1 failed, 2 skipped, 1 cancelled, 4 retried in 1h02m; 1 check failed; 2 not FINAL\n"
          "slowest: build 1m01s, te\\nst 500ms\n"
          "critical path (1m40s, 2.5s of it waiting): a > b > c > d > … 2 more … > g > h > i > j\n");
}
