// SPDX-License-Identifier: Apache-2.0
#include "format/tape_walk.hpp"

#include "format/scalars.hpp"

namespace turboci {

namespace {

template <class Seen>
void walk_value(const YamlTape& tape, std::size_t& offset, const Seen& seen) {
    RawEvent event;
    std::size_t depth = 0;
    do {
        tape.read(offset, event);
        if (event.starts()) ++depth;
        if (event.ends()) --depth;
        seen(event);
    } while (depth > 0);
}

}  // namespace

void skip_value(const YamlTape& tape, std::size_t& offset) {
    walk_value(tape, offset, [](const RawEvent&) {});
}

void copy_value(const YamlTape& tape, std::size_t& offset, YamlTape& out) {
    walk_value(tape, offset, [&out](const RawEvent& event) { out.append(event); });
}

MapWalk::MapWalk(const YamlTape& tape, std::size_t offset) : tape_(tape), value_(offset) {
    tape_.read(value_, key_);
}

bool MapWalk::next() {
    if (begun_) skip_value(tape_, value_);
    begun_ = true;
    tape_.read(value_, key_);
    return key_.type != RawEvent::Type::map_end;
}

RawEvent event_at(const YamlTape& tape, std::size_t offset) {
    RawEvent event;
    tape.read(offset, event);
    return event;
}

std::string_view describe(const RawEvent& event) noexcept {
    if (event.type == RawEvent::Type::map_start) return "a map";
    if (event.type == RawEvent::Type::seq_start) return "a list";
    return describe(event.kind);
}

}  // namespace turboci
