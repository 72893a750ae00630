// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>
#include <utility>

#include "domain/packed_writes.hpp"

namespace turboci {

template <class Write>
struct WriteList<Write>::Packed : PackedList<Write> {};

template <class Write>
WriteList<Write>::WriteList() = default;
template <class Write>
WriteList<Write>::WriteList(const WriteList& other)
    : packed_(other.packed_ ? std::make_unique<Packed>(*other.packed_) : nullptr) {}
template <class Write>
WriteList<Write>::WriteList(WriteList&& other) noexcept = default;
template <class Write>
WriteList<Write>& WriteList<Write>::operator=(WriteList other) noexcept {
    packed_.swap(other.packed_);
    return *this;
}
template <class Write>
WriteList<Write>::~WriteList() = default;

template <class Write>
std::size_t WriteList<Write>::size() const noexcept {
    return packed_ ? packed_->size() : 0;
}
template <class Write>
void WriteList<Write>::push_back(const Write& write) {
    if (!packed_) packed_ = std::make_unique<Packed>();
    packed_->push_back(write);
}
template <class Write>
void WriteList<Write>::set(std::size_t index, const Write& write) {
    if (index >= size()) throw std::out_of_range("WriteList");
    packed_->set(index, write);
}
template <class Write>
void WriteList<Write>::append(WriteList&& other) {
    if (other.empty()) return;
    if (!packed_) packed_ = std::make_unique<Packed>();
    packed_->append(std::move(*other.packed_));
}
template <class Write>
Write WriteList<Write>::operator[](std::size_t index) const {
    Write write;
    read(index, write);
    return write;
}
template <class Write>
Write WriteList<Write>::at(std::size_t index) const {
    if (index >= size()) throw std::out_of_range("WriteList");
    return (*this)[index];
}
template <class Write>
void WriteList<Write>::read(std::size_t index, Write& write) const {
    packed_->read(index, write);
}
template <class Write>
void WriteList<Write>::read_head(std::size_t index, Write& write) const {
    packed_->read_head(index, write);
}
template <class Write>
std::string_view WriteList<Write>::id(std::size_t index) const {
    return packed_->id(index);
}

template class WriteList<CheckWrite>;
template class WriteList<StageWrite>;

}  // namespace turboci
