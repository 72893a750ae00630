// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "format/json_output.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

constexpr std::size_t kBufferBytes = 64 << 10;

/// 0, or the errno of the failure.
int write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(descriptor, text.data(), text.size());
        if (n >= 0) {
            text.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            pollfd ready{descriptor, POLLOUT, 0};
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

std::string place(const ErrorDetail& detail) {
    if (detail.file.empty()) return "turboci: ";
    std::string text = printable(detail.file) + ":";
    if (detail.line > 0) text += std::to_string(detail.line) + ":" + std::to_string(detail.column) + ":";
    return text + " ";
}

}  // namespace

std::optional<Format> parse_format(std::string_view text) {
    for (const Format f : {Format::table, Format::json, Format::jsonl, Format::yaml, Format::name}) {
        if (text == to_string(f)) return f;
    }
    return std::nullopt;
}

std::string_view to_string(Format format) {
    switch (format) {
        case Format::table:
            return "table";
        case Format::json:
            return "json";
        case Format::jsonl:
            return "jsonl";
        case Format::yaml:
            return "yaml";
        case Format::name:
            return "name";
    }
    return "";
}

void Output::write(std::string_view text) {
    if (text.size() >= kBufferBytes) {
        flush();
        require_written(write_all(descriptor_, text));
        return;
    }
    buffer_.append(text);
    settle();
}

void Output::settle() {
    if (buffer_.size() >= kBufferBytes) flush();
}

void Output::flush() {
    const int problem = write_all(descriptor_, buffer_);
    buffer_.clear();
    require_written(problem);
}

void Output::require_written(int problem) {
    if (problem == 0) return;
    reader_left_ = problem == EPIPE;
    const std::string why = std::string("cannot write to standard output: ") + std::strerror(problem);
    if (committed_) throw Error(ErrorCode::output, why, "the work itself was done and committed");
    throw Error(ErrorCode::output, why);
}

bool Output::reader_stays(std::chrono::milliseconds time) const {
    pollfd reader{descriptor_, 0, 0};
    return ::poll(&reader, 1, static_cast<int>(time.count())) <= 0;
}

bool Output::is_terminal() const { return ::isatty(descriptor_) == 1; }

std::size_t Output::width() const {
    if (!is_terminal()) return 0;
    winsize size{};
    if (::ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    if (const char* columns = std::getenv("COLUMNS")) {
        const std::string_view text = columns;
        std::size_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size() && value > 0 && value < 10'000)
            return value;
    }
    return 80;
}

void write_to_stderr(std::string_view text) { write_all(STDERR_FILENO, text); }

void print_to_stderr(std::string line) {
    line += '\n';
    write_to_stderr(line);
}

void print_error(const Error& error, bool as_json) {
    std::string text;
    if (as_json) {
        append_json(text, error);
    } else {
        const auto& details = error.details();
        for (const auto& detail : details) text += place(detail) + printable(detail.message) + '\n';
        if (details.size() == 1 && !details[0].file.empty()) {
            text.pop_back();  // that line says it all
        } else {
            text += "turboci: error: " + printable(error.what());
            if (const std::string remedy = remedy_of(error); !remedy.empty())
                text += "; " + printable(remedy);
        }
        text = in_charset(std::move(text), locale_is_utf8());
    }
    print_to_stderr(std::move(text));
}

bool wants_color(ColorMode mode, bool terminal, const std::function<const char*(const char*)>& get) {
    if (mode != ColorMode::automatic) return mode == ColorMode::always;
    const auto value = [&get](const char* name) -> std::string_view {
        const char* text = get(name);
        return text == nullptr ? "" : text;
    };
    const auto is_no = [](std::string_view text) { return text == "0" || text == "false"; };
    if (!value("NO_COLOR").empty()) return false;
    for (const char* name : {"FORCE_COLOR", "CLICOLOR_FORCE"}) {
        if (const std::string_view force = value(name); !force.empty() && !is_no(force)) return true;
    }
    if (is_no(value("FORCE_COLOR")) || is_no(value("CLICOLOR"))) return false;
    const std::string_view term = value("TERM");
    return terminal && !term.empty() && term != "dumb";
}

bool wants_color(ColorMode mode, int descriptor) {
    return wants_color(mode, ::isatty(descriptor) == 1,
                       [](const char* name) -> const char* { return std::getenv(name); });
}

bool locale_is_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(name);
        if (value == nullptr || *value == '\0') continue;
        // Written "UTF-8" or "utf8", as one likes.
        std::string charset;
        for (const char c : std::string_view(value)) {
            if (c != '-') charset += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
        return charset.find("utf8") != std::string::npos;
    }
    return false;
}

void open_standard_descriptors() {
    for (int descriptor = 0; descriptor <= 2; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
        // The lowest free descriptor is this one, since those below it are open.
        ::open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
    }
}

}  // namespace turboci::cli
