// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "tracee.hpp"

namespace crash {

/// Appends to a file what a program does to the files of one directory (not to those of directories in it):
///   create INODE NAME | tmpfile INODE | link INODE NAME | unlink NAME | rename OLD NEW
///   write INODE OFFSET HEX | trunc INODE SIZE | sync INODE | syncdir
///   ack (something reached stdout) | unmodelled CALL (the log is not to be trusted)
/// Only calls that succeeded, in their order.
class Recorder {
public:
    Recorder(const char* file, std::string directory);
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    void before(const Tracee& tracee, Call& call);
    void after(const Tracee& tracee, const Call& call);
    void acknowledge();

private:
    /// The name in the directory of what argument `path`, relative to argument `at`, names; "" if it is
    /// elsewhere.
    std::string name(const Tracee& tracee, const Call& call, int at, std::size_t path) const;
    /// The inode of a descriptor, 0 if it is not a file of the directory.
    std::uint64_t inode_of(const Tracee& tracee, int fd) const;
    bool is_directory(const Tracee& tracee, int fd) const;
    void opened(const Tracee& tracee, const Call& call, std::uint64_t flags);
    void wrote(const Tracee& tracee, const Call& call);

    FILE* out_ = nullptr;
    std::string directory_;
};

}  // namespace crash
