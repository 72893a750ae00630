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
    "reason": {
      "description": "Why this is written, for the log.",
      "type": "string",
      "maxLength": 1048576
    },
    "actor": {
      "description": "Who writes it.",
      "type": "string",
      "maxLength": 1024
    },
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
    }
  },
  "patternProperties": {
    "^x-": {
      "description": "Ignored: a place for anchors."
    }
  },
  "$defs": {
    "node_id": {
      "type": "string",
      "minLength": 1,
      "maxLength": 256,
      "pattern": "^[^\\u0000-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF]+$",
      "not": {
        "pattern": "^(check|stage):"
      }
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
      "pattern": "^[0-9]+(ms|s|m|h)$",
      "examples": ["500ms", "30s", "10m", "2h"]
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
          "enum": ["PLANNING", "PLANNED", "WAITING", "FINAL"]
        },
        "required": {
          "description": "false: the check never makes run, wait or gate say no. Fixed once PLANNED.",
          "type": "boolean",
          "default": true
        },
        "dependencies": {"$ref": "#/$defs/predicate"},
        "result": {"$ref": "#/$defs/result"},
        "results": {
          "type": ["array", "null"],
          "items": {"$ref": "#/$defs/result"}
        }
      }
    },
    "result": {
      "description": "An answer. One per owner; the actor of the write unless a stage's attempt is named.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "data": {
          "type": "object",
          "description": "Merged (RFC 7396) into the result's data."
        },
        "failure": {"$ref": "#/$defs/failure"},
        "finalize": {
          "description": "No more changes after this write.",
          "type": "boolean"
        },
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
        "attempt": {
          "type": "integer",
          "minimum": 1
        }
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
                "not": {
                  "pattern": "^stage:"
                }
              },
              {
                "type": "object",
                "additionalProperties": false,
                "required": ["target_check_id"],
                "properties": {
                  "target_check_id": {
                    "type": "string",
                    "minLength": 1,
                    "not": {
                      "pattern": "^stage:"
                    }
                  },
                  "goal_state": {
                    "enum": ["PLANNED", "WAITING", "FINAL"],
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
            }
          }
        },
        "timeout": {
          "description": "How long an attempt may run.",
          "$ref": "#/$defs/duration"
        },
        "heartbeat": {
          "description": "How long the holder of an attempt may be silent towards the store.",
          "$ref": "#/$defs/duration"
        },
        "continuation_group": {
          "description": "Stages that this one spawned and waits for.",
          "$ref": "#/$defs/predicate"
        },
        "cancel": {"type": "boolean"},
        "attempt": {"$ref": "#/$defs/attempt"}
      }
    },
    "attempt": {
      "description": "Moves the current attempt, or adds to it.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "idx": {
          "description": "Must be the current one if given.",
          "type": "integer",
          "minimum": 1
        },
        "state": {
          "enum": ["PENDING", "SCHEDULED", "RUNNING", "COMPLETE", "INCOMPLETE"]
        },
        "process_uid": {
          "description": "Who executes it; needed for RUNNING.",
          "type": "string",
          "maxLength": 1024
        },
        "details": {
          "type": "object",
          "description": "Merged (RFC 7396) into the attempt's details."
        },
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
        "failure": {
          "description": "With INCOMPLETE: why.",
          "$ref": "#/$defs/failure"
        },
        "no_retry": {
          "description": "With INCOMPLETE: no further attempts.",
          "type": "boolean"
        },
        "heartbeat": {
          "description": "Still alive.",
          "type": "boolean"
        }
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
          "enum": ["PLANNING", "PLANNED", "WAITING", "ATTEMPTING", "AWAITING_GROUP", "FINAL"],
          "default": "FINAL"
        },
        "when": {
          "description": "Which outcome; only where on_state is FINAL.",
          "enum": ["success", "failure", "always"]
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
            "at_least": {
              "type": "integer",
              "minimum": 1
            },
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
