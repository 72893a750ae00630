// SPDX-License-Identifier: Apache-2.0
// The columns of attempts and results, in the one order in which everybody reads them.
#pragma once

#include "store/sqlite/database.hpp"

#define TURBOCI_ATTEMPT_COLUMNS                                                                        \
    "stage_key, idx, plan_key, state, process_uid, details, failure, not_before, last_heartbeat, "     \
    "created_at,"                                                                                      \
    " updated_at, ready_at, started_at, deadline, no_retry, runner_host, runner_boot_id, runner_pid, " \
    "runner_start, holder, cause, exit_code, signal, log_path, stopping_since, stopping_by, "          \
    "stopping_reason,"                                                                                 \
    " stopping_cause, stopping_inside, ended_at, retries, interruptions"
#define TURBOCI_RESULT_COLUMNS \
    "check_key, id, owner_type, owner_id, data, failure, created_at, finalized_at, stage_key, attempt"

namespace turboci::sqlite {

/// What readers see of an attempt; `progress` is left empty.
void read_attempt(const Query& row, Attempt& attempt);
void read_result(const Query& row, Result& result);

}  // namespace turboci::sqlite
