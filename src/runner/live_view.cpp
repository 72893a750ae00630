// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>

#include "format/terminal.hpp"
#include "runner/progress_view.hpp"

namespace turboci {

namespace {

constexpr Duration kRedraw = std::chrono::milliseconds(100);
constexpr std::size_t kMaxRunningLines = 8;

class LiveView final : public RunListener {
public:
    LiveView(TextOutput out, ViewOptions options, std::function<TerminalSize()> size)
        : out_(std::move(out)), options_(options), get_size_(std::move(size)), size_(get_size_()) {}
    ~LiveView() override {
        if (!shown_.empty()) out_(erase());
    }
    LiveView(const LiveView&) = delete;
    LiveView& operator=(const LiveView&) = delete;

    void on_start(const StageStart&) override {}
    void on_end(const StageEnd& end) override {
        if (end.failure) keep(render_failure(end, options_));
    }
    void on_final(const NodeRef& node, Outcome outcome) override {
        if (node.type != NodeType::check || outcome != Outcome::failed) return;
        keep(
            fmt::format("{} {}\n", styled("failed", Style::red, options_.color), printable(to_string(node))));
    }
    void on_note(const std::string& text) override { keep(printable(text) + "\n"); }

    void on_progress(const RunProgress& progress) override {
        last_ = progress;
        if (drawn_ && progress.elapsed - drawn_at_ < kRedraw) return;
        draw();
    }

    void on_resize() override {
        const TerminalSize now = get_size_();
        // The terminal has wrapped our lines anew; erase() counts with the new width.
        size_ = now;
        draw();
    }

    void on_summary(const RunSummary& summary) override {
        std::string text = erase();
        text += render_summary(summary, options_);
        drawn_ = true;
        out_(text);
    }

    [[nodiscard]] std::optional<Duration> refresh_interval() const override { return kRedraw; }

private:
    /// Prints lines that stay, above the view.
    void keep(const std::string& lines) {
        std::string text = erase();
        text += lines;
        text += view();
        out_(text);
    }

    void draw() {
        drawn_ = true;
        drawn_at_ = last_.elapsed;
        std::string text = erase();
        text += view();
        out_(text);
    }

    /// Takes the view off the screen: the cursor is at the end of its last line. Line by line: what clears a
    /// whole screen puts it into the history of some terminals, from where it comes back when they grow.
    std::string erase() {
        if (shown_.empty()) return {};
        const auto columns = static_cast<std::size_t>(std::max(size_.columns, 1));
        std::size_t rows = 0;
        for (const std::size_t width : shown_)
            rows += std::max<std::size_t>(1, (width + columns - 1) / columns);
        shown_.clear();
        std::string text = "\r\x1b[2K";
        for (std::size_t row = 1; row < rows; ++row) text += "\x1b[1A\x1b[2K";
        return text;
    }

    std::string view() {
        // One column is left free: terminals differ in what they do after the last one.
        const auto width = static_cast<std::size_t>(std::max(size_.columns - 1, 1));
        std::vector<std::string> lines;
        const std::string bar = bar_line(width);
        lines.push_back(bar);
        const std::size_t room = static_cast<std::size_t>(std::clamp(size_.rows - 2, 0, 1000));
        const std::size_t most = std::min(kMaxRunningLines, room);
        const std::size_t running = last_.running.size();
        for (std::size_t i = 0; i < std::min(running, most); ++i) {
            if (i + 1 == most && running > most) {
                lines.push_back(fit(fmt::format("  {} and {} more", ellipsis(options_.utf8), running - i),
                                    width, options_.utf8));
                break;
            }
            const RunProgress::Running& r = last_.running[i];
            const std::string time = human_duration(r.elapsed);
            lines.push_back(fit(fmt::format("  {:>6}  {}", time, printable(r.stage)), width, options_.utf8));
        }
        std::string text;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            shown_.push_back(display_width(lines[i]));
            if (i > 0) text += '\n';
            text += i == 0 ? color_bar(lines[i]) : lines[i];
        }
        return text;
    }

    [[nodiscard]] std::string bar_line(std::size_t width) const {
        std::string counts = fmt::format(" {}/{}  {} running", last_.done, last_.total, last_.running.size());
        if (last_.failed > 0) counts += fmt::format("  {} failed", last_.failed);
        counts += "  " + human_duration(last_.elapsed);
        const std::size_t taken = display_width(counts) + 2;
        const std::size_t cells = width > taken + 4 ? std::min<std::size_t>(width - taken, 40) : 0;
        if (cells == 0) return fit(counts.substr(1), width, options_.utf8);
        const auto total = static_cast<std::size_t>(std::max<std::int64_t>(last_.total, 1));
        const auto done = static_cast<std::size_t>(std::clamp<std::int64_t>(last_.done, 0, last_.total));
        const std::size_t full = std::min(cells, cells * done / total);
        return "[" + std::string(full, '#') + std::string(cells - full, '.') + "]" + counts;
    }

    [[nodiscard]] std::string color_bar(const std::string& line) const {
        return styled(line, last_.failed > 0 ? Style::red : Style::green, options_.color);
    }

    TextOutput out_;
    ViewOptions options_;
    std::function<TerminalSize()> get_size_;
    TerminalSize size_;
    RunProgress last_;
    std::vector<std::size_t> shown_;  ///< the widths of the lines on the screen
    bool drawn_ = false;
    Duration drawn_at_{0};
};

}  // namespace

std::unique_ptr<RunListener> make_live_view(TextOutput out, ViewOptions options,
                                            std::function<TerminalSize()> size) {
    return std::make_unique<LiveView>(std::move(out), options, std::move(size));
}

}  // namespace turboci
