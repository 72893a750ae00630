// SPDX-License-Identifier: Apache-2.0
#include "turboci/plan_file.hpp"

namespace turboci {

namespace {

// What the reader accepts (plan_keys.cpp); a test holds the two together.
constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "turboci plan file",
  "description": "Checks and stages to write into a work plan, as one transaction.",
  "type": ["object", "null"],
  "additionalProperties": false,
  "properties": {
    "checks": {
      "description": "Questions to answer.",
      "type": ["array", "null"],
      "items": {"$ref": "#/$defs/check"}
    },
    "stages": {
      "description": "Work that answers them.",
      "type": ["array", "null"],
      "items": {"$ref": "#/$defs/stage"}
    },
    "reason": {"description": "Why this is written, for the log.", "type": "string", "maxLength": 1048576},
    "actor": {"description": "Who writes it.", "type": "string", "maxLength": 1024},
    "if_version": {
      "description": "Refuse the write unless the plan is at this version.",
      "type": "integer",
      "minimum": 0
    },
    "op_id": {
      "description": "Idempotency key: a second write with the same one changes nothing.",
      "type": "string",
      "maxLength": 1024
    },
    "plan": {
      "description": "Labels, merged into those of the plan.",
      "type": "object",
      "additionalProperties": {
        "type": ["string", "number", "boolean"]
      }
    },
    "limits": {"description": "How much there is of what stages share, by name.", "$ref": "#/$defs/counts"},
    "defaults": {
      "description": "What nodes of this document do not say themselves. Maps are merged.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "check": {"$ref": "#/$defs/check_defaults"},
        "stage": {"$ref": "#/$defs/stage_defaults"}
      }
    }
  },
  "patternProperties": {
    "^x-": {"description": "Ignored: a place for anchors."}
  },
  "$defs": {
    "counts": {
      "type": "object",
      "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 1000000000}
    },
    "condition": {
      "description": "Whether it is wanted at all: what the data of a check that it depends on must say. A list: all of it.",
      "oneOf": [
        {"$ref": "#/$defs/test"},
        {
          "type": "array",
          "items": {"$ref": "#/$defs/test"}
        }
      ]
    },
    "test": {
      "type": "object",
      "additionalProperties": false,
      "required": ["check", "path"],
      "properties": {
        "check": {
          "description": "A target of the node's own dependencies, outside of 'any'.",
          "type": "string",
          "minLength": 1
        },
        "path": {
          "description": "A JSON pointer.",
          "type": "string",
          "pattern": "^(/([^~]|~[01])*)?$"
        },
        "equals": {"description": "There is a value, and it is this one."},
        "not_equals": {"description": "There is none, or it is another one."},
        "exists": {"type": "boolean"}
      },
      "oneOf": [
        {"required": ["equals"]},
        {"required": ["not_equals"]},
        {"required": ["exists"]}
      ]
    },
    "node_id": {
      "type": "string",
      "minLength": 1,
      "maxLength": 256,
      "pattern": "^[^\\u0000-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF]+$",
      "not": {"pattern": "^(check|stage):"}
    },
    "node_ref": {
      "description": "check:ID, stage:ID, or a bare ID where only one of the two exists.",
      "type": "string",
      "minLength": 1
    },
    "word": {
      "type": "string",
      "maxLength": 131071,
      "pattern": "^[^\\u0000]*$"
    },
    "command_line": {
      "description": "A program and its arguments.",
      "type": "array",
      "minItems": 1,
      "prefixItems": [
        {
          "allOf": [{"$ref": "#/$defs/word"}],
          "minLength": 1
        }
      ],
      "items": {"$ref": "#/$defs/word"}
    },
    "duration": {
      "type": "string",
      "pattern": "^([0-9]+(d|h|m|s|ms))+$|\\{\\{",
      "examples": ["500ms", "30s", "1h30m", "1d"]
    },
    "filled_in": {
      "description": "Something that a matrix fills in.",
      "type": "string",
      "pattern": "\\{\\{"
    },
    "axis_value": {
      "description": "Taken as it is written.",
      "type": ["string", "number", "boolean"]
    },
    "matrix": {
      "description": "The node stands for one node a combination; {{axis}} is replaced in its strings.",
      "type": "object",
      "minProperties": 1,
      "properties": {
        "exclude": {
          "description": "Combinations to leave out.",
          "type": ["array", "null"],
          "items": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"$ref": "#/$defs/axis_value"}
          }
        }
      },
      "propertyNames": {
        "pattern": "^[A-Za-z0-9_.-]+$"
      },
      "additionalProperties": {
        "description": "An axis.",
        "type": "array",
        "minItems": 1,
        "uniqueItems": true,
        "items": {"$ref": "#/$defs/axis_value"}
      }
    },
    "failure": {
      "description": "What went wrong; null takes an earlier failure back.",
      "oneOf": [
        {
          "type": ["string", "null"]
        },
        {
          "type": "object",
          "additionalProperties": false,
          "required": ["message"],
          "properties": {
            "message": {"type": "string"}
          }
        }
      ]
    },
    "check": {
      "description": "A question. It is never executed; it collects results.",
      "type": "object",
      "additionalProperties": false,
      "required": ["id"],
      "properties": {
        "id": {"$ref": "#/$defs/node_id"},
        "kind": {
          "description": "source, build, test, analysis, kickoff, or any other word. Fixed at creation.",
          "type": "string",
          "maxLength": 1024
        },
        "options": {
          "type": "object",
          "description": "How to answer the question. Merged (RFC 7396) when the check exists."
        },
        "state": {
          "description": "The state to bring the check to.",
          "oneOf": [
            {
              "enum": ["PLANNING", "PLANNED", "WAITING", "FINAL"]
            },
            {"$ref": "#/$defs/filled_in"}
          ]
        },
        "required": {
          "description": "false: the check never makes run, wait or gate say no. Fixed once PLANNED.",
          "type": "boolean",
          "default": true
        },
        "dependencies": {"$ref": "#/$defs/predicate"},
        "condition": {"$ref": "#/$defs/condition"},
        "if": {"description": "The same as 'condition'.", "$ref": "#/$defs/condition"},
        "skip": {"description": "Ends it as skipped, not needed, for the write's reason.", "type": "boolean"},
        "result": {"$ref": "#/$defs/result"},
        "results": {
          "type": ["array", "null"],
          "items": {"$ref": "#/$defs/result"}
        },
        "matrix": {"$ref": "#/$defs/matrix"}
      }
    },
    "check_defaults": {
      "description": "What checks do not say themselves.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "kind": {"$ref": "#/$defs/check/properties/kind"},
        "options": {"$ref": "#/$defs/check/properties/options"},
        "state": {"$ref": "#/$defs/check/properties/state"},
        "required": {"$ref": "#/$defs/check/properties/required"},
        "dependencies": {"$ref": "#/$defs/check/properties/dependencies"},
        "condition": {"$ref": "#/$defs/check/properties/condition"},
        "if": {"$ref": "#/$defs/check/properties/if"},
        "skip": {"$ref": "#/$defs/check/properties/skip"},
        "result": {"$ref": "#/$defs/check/properties/result"},
        "results": {"$ref": "#/$defs/check/properties/results"}
      }
    },
    "result": {
      "description": "An answer. One per owner; the actor of the write unless a stage's attempt is named.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "data": {"type": "object", "description": "Merged (RFC 7396) into the result's data."},
        "failure": {"$ref": "#/$defs/failure"},
        "finalize": {"description": "No more changes after this write.", "type": "boolean"},
        "owner_type": {
          "enum": ["stage_attempt"]
        },
        "owner_id": {
          "description": "PLAN:STAGE:IDX",
          "type": "string",
          "pattern": ":[0-9]+$"
        },
        "stage": {
          "description": "With 'attempt': the short form of owner_type and owner_id.",
          "type": "string",
          "minLength": 1
        },
        "attempt": {"type": "integer", "minimum": 1}
      },
      "dependentRequired": {
        "owner_type": ["owner_id"],
        "owner_id": ["owner_type"],
        "stage": ["attempt"],
        "attempt": ["stage"]
      }
    },
    "stage": {
      "description": "Work. All but 'continuation_group', 'attempt' and 'cancel' is fixed at creation.",
      "type": "object",
      "additionalProperties": false,
      "required": ["id"],
      "properties": {
        "id": {"$ref": "#/$defs/node_id"},
        "args": {
          "description": "For whatever executes the stage.",
          "type": "object",
          "properties": {
            "command": {
              "description": "What `turboci run` executes: a string for /bin/sh -e -c, which ends at the first line that fails, or a list.",
              "oneOf": [
                {"type": "null"},
                {
                  "allOf": [{"$ref": "#/$defs/word"}],
                  "minLength": 1
                },
                {"$ref": "#/$defs/command_line"}
              ]
            },
            "shell": {
              "description": "In place of /bin/sh -e -c: [bash, -euo, pipefail, -c], say. The command comes behind it.",
              "oneOf": [
                {"type": "null"},
                {"$ref": "#/$defs/command_line"}
              ]
            },
            "env": {
              "description": "Variables for the command; null is not to be set.",
              "type": ["object", "null"],
              "propertyNames": {
                "pattern": "^[^=\\u0000]+$"
              },
              "additionalProperties": {
                "oneOf": [
                  {"type": "null"},
                  {"$ref": "#/$defs/word"}
                ]
              }
            },
            "cwd": {
              "description": "Where the command runs; relative to where `turboci run` does.",
              "oneOf": [
                {"type": "null"},
                {
                  "allOf": [{"$ref": "#/$defs/word"}],
                  "minLength": 1,
                  "maxLength": 4095
                }
              ]
            }
          }
        },
        "dependencies": {"$ref": "#/$defs/predicate"},
        "assignments": {
          "description": "The checks that this stage answers.",
          "type": ["array", "null"],
          "items": {
            "oneOf": [
              {
                "description": "A check to bring to FINAL.",
                "type": "string",
                "minLength": 1,
                "not": {"pattern": "^stage:"}
              },
              {
                "type": "object",
                "additionalProperties": false,
                "required": ["target_check_id"],
                "properties": {
                  "target_check_id": {
                    "type": "string",
                    "minLength": 1,
                    "not": {"pattern": "^stage:"}
                  },
                  "goal_state": {
                    "oneOf": [
                      {
                        "enum": ["PLANNED", "WAITING", "FINAL"]
                      },
                      {"$ref": "#/$defs/filled_in"}
                    ],
                    "default": "FINAL"
                  }
                }
              }
            ]
          }
        },
        "retry": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "max_retries": {
              "description": "Attempts after the first.",
              "type": "integer",
              "minimum": 0,
              "maximum": 1000
            },
            "backoff": {
              "description": "Wait before the second attempt; doubles with each further one.",
              "$ref": "#/$defs/duration"
            },
            "max_backoff": {
              "description": "The longest wait; 24h if it is not given.",
              "$ref": "#/$defs/duration"
            },
            "on": {
              "description": "Which ends are tried again; all three if it is not given.",
              "type": "array",
              "items": {
                "oneOf": [
                  {"enum": ["failed", "timeout", "silent"]},
                  {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["exit"],
                    "properties": {
                      "exit": {
                        "description": "Exit statuses.",
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "integer", "minimum": 1, "maximum": 255}
                      }
                    }
                  }
                ]
              }
            },
            "on_interrupt": {
              "description": "What it is when the runner is stopped or lost: nobody's failure, or one.",
              "enum": ["again", "fail"],
              "default": "again"
            }
          }
        },
        "timeout": {"description": "How long an attempt may run.", "$ref": "#/$defs/duration"},
        "heartbeat": {
          "description": "How long the holder of an attempt may be silent towards the store.",
          "$ref": "#/$defs/duration"
        },
        "silence": {
          "description": "How long an attempt that 'turboci run' or a worker executes may print nothing.",
          "$ref": "#/$defs/duration"
        },
        "runner": {
          "description": "What kind of worker it needs; empty: any.",
          "type": "string",
          "maxLength": 1024,
          "not": {"const": "*"}
        },
        "uses": {
          "description": "What of the plan's limits an attempt holds: names, or counts.",
          "oneOf": [
            {
              "type": "array",
              "uniqueItems": true,
              "items": {"type": "string", "minLength": 1}
            },
            {"$ref": "#/$defs/counts"}
          ]
        },
        "condition": {"$ref": "#/$defs/condition"},
        "if": {"description": "The same as 'condition'.", "$ref": "#/$defs/condition"},
        "continuation_group": {
          "description": "Stages that this one spawned and waits for.",
          "$ref": "#/$defs/predicate"
        },
        "cancel": {"type": "boolean"},
        "skip": {"description": "Ends it as skipped, not needed, for the write's reason.", "type": "boolean"},
        "attempt": {"$ref": "#/$defs/attempt"},
        "matrix": {"$ref": "#/$defs/matrix"}
      }
    },
    "stage_defaults": {
      "description": "What stages do not say themselves.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "args": {"$ref": "#/$defs/stage/properties/args"},
        "dependencies": {"$ref": "#/$defs/stage/properties/dependencies"},
        "assignments": {"$ref": "#/$defs/stage/properties/assignments"},
        "retry": {"$ref": "#/$defs/stage/properties/retry"},
        "timeout": {"$ref": "#/$defs/stage/properties/timeout"},
        "heartbeat": {"$ref": "#/$defs/stage/properties/heartbeat"},
        "silence": {"$ref": "#/$defs/stage/properties/silence"},
        "runner": {"$ref": "#/$defs/stage/properties/runner"},
        "uses": {"$ref": "#/$defs/stage/properties/uses"},
        "condition": {"$ref": "#/$defs/stage/properties/condition"},
        "if": {"$ref": "#/$defs/stage/properties/if"},
        "continuation_group": {"$ref": "#/$defs/stage/properties/continuation_group"},
        "cancel": {"$ref": "#/$defs/stage/properties/cancel"},
        "skip": {"$ref": "#/$defs/stage/properties/skip"},
        "attempt": {"$ref": "#/$defs/stage/properties/attempt"}
      }
    },
    "attempt": {
      "description": "Moves the current attempt, or adds to it.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "idx": {"description": "Must be the current one if given.", "type": "integer", "minimum": 1},
        "state": {
          "enum": ["PENDING", "SCHEDULED", "RUNNING", "COMPLETE", "INCOMPLETE"]
        },
        "process_uid": {
          "description": "Who executes it; needed for RUNNING.",
          "type": "string",
          "maxLength": 1024
        },
        "details": {"type": "object", "description": "Merged (RFC 7396) into the attempt's details."},
        "progress": {
          "type": ["array", "null"],
          "items": {
            "oneOf": [
              {"type": "string"},
              {
                "type": "object",
                "additionalProperties": false,
                "required": ["message"],
                "properties": {
                  "message": {"type": "string"},
                  "details": {"type": "object"}
                }
              }
            ]
          }
        },
        "failure": {"description": "With INCOMPLETE: why.", "$ref": "#/$defs/failure"},
        "no_retry": {"description": "With INCOMPLETE: no further attempts.", "type": "boolean"},
        "heartbeat": {"description": "Still alive.", "type": "boolean"}
      }
    },
    "predicate": {
      "description": "What must come first: a list (all of it), or a group. [] for nothing.",
      "oneOf": [
        {"type": "null"},
        {
          "type": "array",
          "items": {"$ref": "#/$defs/member"}
        },
        {"$ref": "#/$defs/group"}
      ]
    },
    "members": {
      "type": "array",
      "minItems": 1,
      "items": {"$ref": "#/$defs/member"}
    },
    "member": {
      "oneOf": [
        {"$ref": "#/$defs/node_ref"},
        {"$ref": "#/$defs/edge"},
        {"$ref": "#/$defs/group"}
      ]
    },
    "edge": {
      "type": "object",
      "additionalProperties": false,
      "required": ["node"],
      "properties": {
        "node": {"$ref": "#/$defs/node_ref"},
        "on_state": {
          "oneOf": [
            {
              "enum": ["PLANNING", "PLANNED", "WAITING", "ATTEMPTING", "AWAITING_GROUP", "FINAL"]
            },
            {"$ref": "#/$defs/filled_in"}
          ],
          "default": "FINAL"
        },
        "when": {
          "description": "Which outcome; only where on_state is FINAL.",
          "oneOf": [
            {
              "enum": ["success", "failure", "always", "not_failed", "unsuccessful"]
            },
            {"$ref": "#/$defs/filled_in"}
          ]
        }
      }
    },
    "group": {
      "oneOf": [
        {
          "description": "AND",
          "type": "object",
          "additionalProperties": false,
          "required": ["all"],
          "properties": {
            "all": {"$ref": "#/$defs/members"}
          }
        },
        {
          "description": "OR",
          "type": "object",
          "additionalProperties": false,
          "required": ["any"],
          "properties": {
            "any": {"$ref": "#/$defs/members"}
          }
        },
        {
          "description": "THRESHOLD",
          "type": "object",
          "additionalProperties": false,
          "required": ["at_least", "of"],
          "properties": {
            "at_least": {"type": "integer", "minimum": 1},
            "of": {"$ref": "#/$defs/members"}
          }
        }
      ]
    }
  }
}
)json";

}  // namespace

std::string_view plan_schema() { return kSchema; }

}  // namespace turboci
