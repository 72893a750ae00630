// SPDX-License-Identifier: Apache-2.0
// A JSON object that takes one patch after another.
#pragma once

#include "domain/ordered_json.hpp"
#include "turboci/json_text.hpp"

namespace turboci {

/// What merge_patch() makes of texts, for many patches: each costs what it says, not what is there already.
class GrowingObject {
public:
    explicit GrowingObject(const JsonText& start);
    /// Would this patch leave another value?
    [[nodiscard]] bool is_changed_by(const JsonText& patch) const;
    void merge(const JsonText& patch);
    [[nodiscard]] JsonText text() const;

private:
    OrderedJson value_;
};

}  // namespace turboci
