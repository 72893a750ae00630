// SPDX-License-Identifier: Apache-2.0
#include "format/trace.hpp"

#include <algorithm>

#include "format/report_times.hpp"
#include "turboci/json_text.hpp"

namespace turboci {
namespace {

/// The processes of the trace.
enum class TraceRow : std::uint8_t { attempts = 1, waiting = 2, critical_path = 3 };

void append_text(std::string& out, std::string_view key, std::string_view value) {
    out += key;
    append_json_string(out, value);
}

class TraceWriter {
public:
    explicit TraceWriter(const NodeCollector& graph) : graph_(graph), times_(graph) {}

    std::string write() {
        out_ = "{\"displayTimeUnit\":\"ms\",\"otherData\":{";
        append_text(out_, "\"plan\":", graph_.plan().id);
        append_text(out_, ",\"verdict\":", PlanReport(graph_).verdict_words());
        append_text(out_, ",\"began_at\":", format_timestamp(times_.begin()));
        out_ += "},\"traceEvents\":[";
        process(TraceRow::attempts, "attempts", "lane ", [](const AttemptSpan& s) { return !s.waiting; });
        process(TraceRow::waiting, "waiting", "lane ", [](const AttemptSpan& s) { return s.waiting; });
        process(TraceRow::critical_path, "critical path", "",
                [this](const AttemptSpan& s) { return !s.waiting && times_.is_critical(*s.stage); });
        out_ += "\n]}\n";
        return std::move(out_);
    }

private:
    void begin_event() {
        out_ += first_ ? "\n{" : ",\n{";
        first_ = false;
    }

    void metadata(std::string_view what, TraceRow row, std::uint32_t lane, std::string_view name) {
        begin_event();
        out_ += "\"ph\":\"M\",\"pid\":" + std::to_string(static_cast<int>(row)) +
                ",\"tid\":" + std::to_string(lane);
        append_text(out_, ",\"name\":", what);
        append_text(out_, ",\"args\":{\"name\":", name);
        out_ += "}}";
    }

    template <class Wanted>
    void process(TraceRow row, std::string_view name, const std::string& lane_name, const Wanted& wanted) {
        std::vector<AttemptSpan> spans;
        std::ranges::copy_if(times_.spans(), std::back_inserter(spans), wanted);
        if (spans.empty()) return;
        const std::vector<std::uint32_t> lanes = lanes_of(spans);
        metadata("process_name", row, 0, name);
        const std::uint32_t last = std::ranges::max(lanes);
        for (std::uint32_t lane = 0; lane <= last; ++lane)
            metadata("thread_name", row, lane + 1,
                     lane_name.empty() ? std::string(name) : lane_name + std::to_string(lane + 1));
        for (std::size_t i = 0; i < spans.size(); ++i) event(row, lanes[i] + 1, spans[i]);
    }

    void event(TraceRow row, std::uint32_t lane, const AttemptSpan& span) {
        const Attempt& attempt = *span.attempt;
        begin_event();
        out_ += "\"ph\":\"X\",\"pid\":" + std::to_string(static_cast<int>(row)) +
                ",\"tid\":" + std::to_string(lane) +
                ",\"ts\":" + std::to_string((span.begin - times_.begin()).count()) +
                ",\"dur\":" + std::to_string(span.length().count());
        append_text(out_, ",\"cat\":", span.waiting ? "waiting" : "attempt");
        append_text(out_, ",\"name\":", span.stage->id);
        out_ += ",\"args\":{\"attempt\":" + std::to_string(attempt.idx);
        append_text(out_, ",\"state\":", to_string(attempt.state));
        if (attempt.cause) append_text(out_, ",\"cause\":", to_string(*attempt.cause));
        if (attempt.failure && !span.waiting) append_text(out_, ",\"failure\":", *attempt.failure);
        if (times_.is_critical(*span.stage)) out_ += ",\"critical\":true";
        out_ += "}}";
    }

    const NodeCollector& graph_;
    ReportTimes times_;
    std::string out_;
    bool first_ = true;
};

}  // namespace

std::string trace_json(const NodeCollector& graph) { return TraceWriter(graph).write(); }

}  // namespace turboci
