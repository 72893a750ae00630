// SPDX-License-Identifier: Apache-2.0
// Memory for the bytes of a file.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

namespace turboci {

/// Bytes that are appended in place. Unlike a string's, the memory is not written before they come; and where
/// there are many of them, it is in huge pages if the kernel gives any: the first touch of a small page can
/// take longer than reading what goes into it.
class FileText {
public:
    /// Room after what is there, for at least `least` bytes. Invalidates views. May throw std::bad_alloc.
    [[nodiscard]] std::span<char> room(std::size_t least);
    /// The first `count` bytes of that room have been filled.
    void filled(std::size_t count) noexcept { size_ += count; }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::string_view view() const noexcept { return {size_ == 0 ? "" : bytes_.get(), size_}; }

private:
    struct Free {
        void operator()(char* bytes) const noexcept { std::free(bytes); }
    };
    std::unique_ptr<char, Free> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace turboci
