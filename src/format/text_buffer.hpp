// SPDX-License-Identifier: Apache-2.0
// A long text that is put together from very many short pieces.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include "format/graph.hpp"

namespace turboci {

/// Collects pieces and hands them on together. What is left at the end needs a flush().
class TextBuffer {
public:
    explicit TextBuffer(const TextSink& write) : write_(write) {}

    TextBuffer& operator<<(std::string_view piece) {
        if (kSize - size_ < piece.size()) {
            flush();
            if (piece.size() > kSize) {
                write_(piece);
                return *this;
            }
        }
        std::memcpy(text_.get() + size_, piece.data(), piece.size());
        size_ += piece.size();
        return *this;
    }
    TextBuffer& operator<<(char c) { return *this << std::string_view(&c, 1); }
    void flush() {
        write_({text_.get(), size_});
        size_ = 0;
    }

private:
    static constexpr std::size_t kSize = 128 << 10;
    const TextSink& write_;
    std::unique_ptr<char[]> text_ = std::make_unique_for_overwrite<char[]>(kSize);
    std::size_t size_ = 0;
};

}  // namespace turboci
