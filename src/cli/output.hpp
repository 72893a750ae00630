// SPDX-License-Identifier: Apache-2.0
// Standard output and standard error. Output is data and must arrive; what goes to stderr is best effort.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "turboci/error.hpp"

namespace turboci::cli {

enum class Format { table, json, jsonl, yaml, name };
[[nodiscard]] std::optional<Format> parse_format(std::string_view text);
[[nodiscard]] std::string_view to_string(Format format);

enum class ColorMode { automatic, always, never };

/// Buffered standard output. Nothing appears unless flush() or 64 KiB are reached; what is left in the
/// buffer when an error ends the command is dropped, so that a failure has no half answer.
class Output {
public:
    explicit Output(int descriptor) : descriptor_(descriptor) {}
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    /// Error OUTPUT if it could not be written.
    void write(std::string_view text);
    /// What is written next may be appended here as well, followed by settle(). Taking away is not allowed.
    [[nodiscard]] std::string& buffer() noexcept { return buffer_; }
    void settle();
    void flush();
    /// From here on a failure to write says that the work itself was done.
    void mark_committed() noexcept { committed_ = true; }
    /// The reader has gone (a closed pipe), and nothing was committed: no message is needed.
    [[nodiscard]] bool reader_left_quietly() const noexcept { return reader_left_ && !committed_; }
    /// Waits up to `time`, less if the reader goes away; false if it did.
    [[nodiscard]] bool reader_stays(std::chrono::milliseconds time) const;

    [[nodiscard]] bool is_terminal() const;
    /// Columns of the terminal; 0 if it is none.
    [[nodiscard]] std::size_t width() const;

private:
    void require_written(int problem);  ///< 0, or the errno of the failure

    int descriptor_;
    std::string buffer_;
    bool committed_ = false;
    bool reader_left_ = false;
};

/// Writes at once; ignores failures. `text` must be printable but for its line ends and SGR codes.
void write_to_stderr(std::string_view text);
/// Writes the whole line and "\n" to stderr at once; ignores failures. `line` must be printable.
void print_to_stderr(std::string line);
/// Prints the error: its details as FILE:LINE:COL lines and one `turboci: error:` line, or one JSON object.
void print_error(const Error& error, bool as_json);

/// Are SGR codes wanted on this output? --color decides; without it NO_COLOR, then FORCE_COLOR and
/// CLICOLOR_FORCE (any value but "0" and "false" asks for them, FORCE_COLOR=0 for none), then CLICOLOR=0;
/// else whether it is a terminal that knows them. `get` looks up a variable; empty ones count as absent.
[[nodiscard]] bool wants_color(ColorMode mode, bool terminal,
                               const std::function<const char*(const char*)>& get);
/// The same for a descriptor of this process, with its environment.
[[nodiscard]] bool wants_color(ColorMode mode, int descriptor);

/// Is the locale's character set UTF-8, going by LC_ALL, LC_CTYPE, LANG?
[[nodiscard]] bool locale_is_utf8();
/// Opens descriptors 0 to 2 if they are closed, so that no file of ours ever becomes one of them. What
/// they are opened for makes later reads and writes fail as they would have.
void open_standard_descriptors();

}  // namespace turboci::cli
