// SPDX-License-Identifier: Apache-2.0
// turboci: a work plan engine. Start here.
//
//   node.hpp          names, types, states, outcomes, the transition tables
//   dependency.hpp    predicates: AND, OR and THRESHOLD groups over edges
//   check.hpp         a question          stage.hpp   the work that answers it
//   work_plan.hpp     a plan              time.hpp    clocks and durations
//   verdict.hpp       how a selection of nodes came out
//   requests.hpp      what may be asked and what is answered
//   service.hpp       everything that may be asked: call this    runner.hpp  who executes attempts
//   changes.hpp       what the rules and a store say to each other
//   store.hpp         where plans are kept: Store, Snapshot, Transaction; wait.hpp  how long a call may wait
//   plan_file.hpp     YAML and JSON plan files
//   error.hpp         the one exception type and its codes; problems.hpp several at once
//
// domain <- engine <- store <- service <- transports. Every call either does all of what it says or
// throws Error and does nothing.
#pragma once

#include "turboci/changes.hpp"
#include "turboci/check.hpp"
#include "turboci/dependency.hpp"
#include "turboci/error.hpp"
#include "turboci/json_text.hpp"
#include "turboci/node.hpp"
#include "turboci/plan_file.hpp"
#include "turboci/problems.hpp"
#include "turboci/requests.hpp"
#include "turboci/runner.hpp"
#include "turboci/service.hpp"
#include "turboci/stage.hpp"
#include "turboci/store.hpp"
#include "turboci/time.hpp"
#include "turboci/verdict.hpp"
#include "turboci/wait.hpp"
#include "turboci/work_plan.hpp"
