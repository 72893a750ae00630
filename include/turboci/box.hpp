// SPDX-License-Identifier: Apache-2.0
// An optional value that lives apart: one pointer where there is none.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace turboci {

/// As std::optional, for large members that few of very many objects have. Copies are deep.
template <class T>
class Box {
public:
    Box() = default;
    Box(const Box& other) : value_(other ? std::make_unique<T>(*other) : nullptr) {}
    Box(Box&&) noexcept = default;
    Box& operator=(Box other) noexcept {
        value_.swap(other.value_);
        return *this;
    }
    Box& operator=(T value) {
        emplace(std::move(value));
        return *this;
    }
    ~Box() = default;

    template <class... Args>
    T& emplace(Args&&... args) {
        value_ = std::make_unique<T>(std::forward<Args>(args)...);
        return *value_;
    }
    void reset() noexcept { value_.reset(); }
    [[nodiscard]] explicit operator bool() const noexcept { return value_ != nullptr; }
    [[nodiscard]] bool has_value() const noexcept { return value_ != nullptr; }
    /// std::bad_optional_access if there is none.
    [[nodiscard]] const T& value() const {
        if (!value_) throw std::bad_optional_access();
        return *value_;
    }
    [[nodiscard]] T& operator*() noexcept { return *value_; }
    [[nodiscard]] const T& operator*() const noexcept { return *value_; }
    [[nodiscard]] T* operator->() noexcept { return value_.get(); }
    [[nodiscard]] const T* operator->() const noexcept { return value_.get(); }

private:
    std::unique_ptr<T> value_;
};

}  // namespace turboci
