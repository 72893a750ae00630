// SPDX-License-Identifier: Apache-2.0
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "engine/validate.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "format/json_events.hpp"
#include "format/scalars.hpp"
#include "format/terminal.hpp"
#include "format/text_check.hpp"
#include "turboci/service.hpp"

namespace turboci::cli {

namespace {

class Descriptor {
public:
    explicit Descriptor(int descriptor, bool owned) : descriptor_(descriptor), owned_(owned) {}
    ~Descriptor() {
        if (owned_) ::close(descriptor_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return descriptor_; }

private:
    int descriptor_;
    bool owned_;
};

std::string display_name(const std::string& path) { return path == "-" ? "standard input" : path; }

int open_input(const std::string& path) {
    if (path == "-") return STDIN_FILENO;
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 &&
        (errno == EIO || errno == ENOSPC || errno == ENOMEM || errno == EMFILE || errno == ENFILE))
        throw Error(ErrorCode::store, "cannot open " + path + ": " + std::strerror(errno), "check the disk");
    if (descriptor < 0) {
        throw Error(ErrorCode::usage, "cannot open " + path + ": " + std::strerror(errno),
                    "name a readable file");
    }
    return descriptor;
}

/// Copies the events of one JSON document as compact text.
class JsonCopy final : public EventSink {
public:
    void begin_map(Position) override { open('{'); }
    void end_map(Position) override { close('}'); }
    void begin_seq(Position) override { open('['); }
    void end_seq(Position) override { close(']'); }
    void key(std::string_view text, Position) override {
        separate();
        append_json_text(text_, text);
        text_ += ':';
        first_ = true;
    }
    void scalar(const Scalar& scalar, Position) override {
        separate();
        if (depth_ == 0) is_object_ = false;
        if (std::string why = append_json_scalar(text_, scalar); !why.empty() && why_.empty())
            why_ = std::move(why);
        first_ = false;
    }
    [[nodiscard]] bool is_object() const noexcept { return is_object_; }
    [[nodiscard]] const std::string& problem() const noexcept { return why_; }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    void separate() {
        if (!first_) text_ += ',';
    }
    void open(char bracket) {
        separate();
        if (depth_++ == 0) is_object_ = bracket == '{';
        text_ += bracket;
        first_ = true;
    }
    void close(char bracket) {
        --depth_;
        text_ += bracket;
        first_ = false;
    }

    std::string text_;
    std::string why_;
    int depth_ = 0;
    bool first_ = true;
    bool is_object_ = false;
};

}  // namespace

FileText read_file(const std::string& path, std::size_t limit, std::string_view sign) {
    const Descriptor input(open_input(path), path != "-");
    struct stat about {};
    if (::fstat(input.get(), &about) == 0) {
        if (S_ISDIR(about.st_mode))
            throw Error(ErrorCode::usage, path + " is a directory", "name the files in it");
        if (S_ISREG(about.st_mode) && about.st_size > 0 && static_cast<std::size_t>(about.st_size) > limit) {
            throw Error(ErrorCode::invalid_argument,
                        display_name(path) + " is too large: " + std::to_string(about.st_size) + " bytes",
                        "at most " + std::to_string(limit) + " are read");
        }
    }
    constexpr std::size_t kChunk = std::size_t{64} * 1024;
    FileText text;
    // One byte more than there should be, so that the end is seen without asking for another chunk.
    const bool has_size = S_ISREG(about.st_mode) && about.st_size > 0;
    std::size_t expected = has_size ? static_cast<std::size_t>(about.st_size) + 1 : kChunk;
    constexpr std::size_t kHead = 4096;
    bool is_known = sign.empty();
    while (true) {
        const std::span<char> room = text.room(expected);
        const ssize_t n = ::read(input.get(), room.data(), room.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            throw Error(ErrorCode::store, "cannot read " + display_name(path) + ": " + std::strerror(errno));
        }
        if (n == 0) break;
        text.filled(static_cast<std::size_t>(n));
        expected = 1;
        if (!is_known && text.size() >= kHead) {
            is_known = text.view().substr(0, kHead).find(sign) != std::string_view::npos;
            if (!is_known) break;  // what is there is enough to tell what is wrong with it
        }
        if (text.size() > limit) {
            throw Error(ErrorCode::invalid_argument, display_name(path) + " is too large",
                        "at most " + std::to_string(limit) + " bytes are read");
        }
    }
    return text;
}

bool read_plan_files(const std::vector<std::string>& paths, WriteNodes& request, Problems& problems) {
    if (std::count(paths.begin(), paths.end(), "-") > 1) {
        throw Error(ErrorCode::usage, "standard input is named twice", "name - once");
    }
    bool whole = true;
    // The labels of all files as one patch, in which of a name that comes again the last value counts: merged
    // file by file, each would cost as much as those before it.
    std::string labels;
    int with_labels = 0;
    PlanFileReader reader(request, problems);
    for (const auto& path : paths) {
        const FileText text = read_file(path);
        whole = reader.read({path, text.view()}) && whole;
        if (!request.labels) continue;
        if (!request.labels->empty()) {
            labels += labels.empty() ? '{' : ',';
            labels.append(request.labels->text, 1, request.labels->text.size() - 2);
        }
        request.labels.reset();
        ++with_labels;
    }
    whole = reader.finish() && whole;
    if (with_labels == 0) return whole;
    request.labels = labels.empty() ? JsonText{} : JsonText{labels + '}'};
    if (with_labels > 1) request.labels = merge_patch({}, *request.labels);
    return whole;
}

std::vector<std::string> read_sound_plan_files(const std::vector<std::string>& paths, WriteNodes& request) {
    Problems problems;
    const bool whole = read_plan_files(paths, request, problems);
    // All problems at once; without any, the endpoint will look.
    if (whole && !problems.empty()) validate(request, problems);
    problems.raise_if_any(request.files);
    return problems.warnings(request.files);
}

JsonText json_argument(std::string_view option, const std::string& value) {
    const bool from_file = !value.empty() && value[0] == '@';
    const std::string text = from_file ? std::string(read_file(value.substr(1)).view()) : value;
    FileProblems found;
    JsonCopy copy;
    const std::string_view content = skip_bom(text);
    if (check_text(content, 0, found)) static_cast<void>(read_json_events(content, 0, copy, found));
    Problems problems;
    found.move_to(problems);
    problems.raise_if_any({from_file ? display_name(value.substr(1)) : std::string(option)});
    if (!copy.problem().empty() || !copy.is_object()) {
        throw Error(
            ErrorCode::invalid_argument,
            std::string(option) + ": " + (copy.problem().empty() ? "not a JSON object" : copy.problem()),
            "give one JSON object, or @FILE");
    }
    return JsonText{copy.take()};
}

void declare_lost_after(Parser& parser, std::optional<Duration>& lost_after) {
    parser.option("--lost-after", "D", lost_after,
                  "a runner of another host is gone after so long without a sign of life (default: 60s)");
}

std::string id_argument(NodeType type, const std::string& text) {
    RefText ref = parse_ref(text);
    if (ref.type && *ref.type != type) {
        throw Error(ErrorCode::usage, printable(text) + " is not a " + std::string(to_string(type)),
                    "name a " + std::string(to_string(type)));
    }
    return ref.id;
}

std::vector<RefText> ref_arguments(const std::vector<std::string>& texts) {
    std::vector<RefText> refs;
    refs.reserve(texts.size());
    for (const auto& text : texts) refs.push_back(parse_ref(text));
    return refs;
}

bool can_ask() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

bool confirm(const std::string& question) {
    if (!can_ask()) return true;
    write_to_stderr("turboci: " + printable(question) + " [y/N] ");
    std::string answer;
    char c = 0;
    while (::read(STDIN_FILENO, &c, 1) == 1 && c != '\n') answer += c;
    if (answer == "y" || answer == "Y" || answer == "yes") return true;
    print_to_stderr("turboci: nothing was deleted");
    return false;
}

}  // namespace turboci::cli
