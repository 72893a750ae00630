// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/journal_vfs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

#include "os/files.hpp"

namespace turboci::sqlite {

namespace {

// A write of a script changes some dozen pages; more than this at once saves nothing. SQLite's function for
// Unix masks the length of a write with 0x1FFFF.
constexpr std::size_t kMostPending = std::size_t{64} << 10;

}  // namespace

/// What SQLite takes for an open journal: one file is open at a time, the owner has it.
struct JournalVfs::File {
    sqlite3_file head;
    JournalVfs* owner;
};

/// From SQLite's tables of functions to the object and to its base. No exception may pass through SQLite.
struct JournalVfs::Trampolines {
    static JournalVfs& self(sqlite3_vfs* vfs) { return *static_cast<JournalVfs*>(vfs->pAppData); }
    static JournalVfs& self(sqlite3_file* file) { return *reinterpret_cast<File*>(file)->owner; }
    static sqlite3_vfs& base(sqlite3_vfs* vfs) { return self(vfs).base_; }
    static sqlite3_file* kept(sqlite3_file* file) { return self(file).kept(); }
    static const sqlite3_io_methods& methods(sqlite3_file* file) { return *kept(file)->pMethods; }

    static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
        JournalVfs& own = self(vfs);
        const bool is_journal = (flags & SQLITE_OPEN_MAIN_JOURNAL) != 0;
        int rc = SQLITE_OK;
        if (is_journal && !own.may_open(path)) {
            file->pMethods = nullptr;
            return SQLITE_CANTOPEN;
        }
        const bool to_write = (flags & SQLITE_OPEN_CREATE) != 0;
        if (is_journal && own.is_open() && own.still_at(path) && (!to_write || own.has_durable_name())) {
            if (flags_out != nullptr) *flags_out = flags;
        } else if (is_journal && to_write) {
            rc = own.open(path, flags, flags_out);
        } else {
            // Who only looks at a journal, or plays it back, needs nothing of us.
            return own.base_.xOpen(&own.base_, path, file, flags, flags_out);
        }
        // Without methods there is nothing to close.
        file->pMethods = rc == SQLITE_OK ? &kJournal : nullptr;
        reinterpret_cast<File*>(file)->owner = &own;
        return rc;
    }
    static int remove(sqlite3_vfs* vfs, const char* path, int sync) {
        return base(vfs).xDelete(&base(vfs), path, sync);
    }
    static int access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
        return base(vfs).xAccess(&base(vfs), path, flags, result);
    }
    static int full_path(sqlite3_vfs* vfs, const char* path, int size, char* out) {
        return base(vfs).xFullPathname(&base(vfs), path, size, out);
    }
    static int random(sqlite3_vfs* vfs, int size, char* out) {
        return base(vfs).xRandomness(&base(vfs), size, out);
    }
    static int sleep(sqlite3_vfs* vfs, int microseconds) {
        return base(vfs).xSleep(&base(vfs), microseconds);
    }
    static int now(sqlite3_vfs* vfs, double* out) { return base(vfs).xCurrentTime(&base(vfs), out); }
    static int last_error(sqlite3_vfs* vfs, int size, char* out) {
        return base(vfs).xGetLastError(&base(vfs), size, out);
    }
    static int now64(sqlite3_vfs* vfs, sqlite3_int64* out) {
        return base(vfs).xCurrentTimeInt64(&base(vfs), out);
    }

    static int close(sqlite3_file* file) {
        // SQLite needs nothing that it has not synced. By now it may have let go of its lock: another's
        // journal may be in the file, and a transaction that was reported to have failed must not come about.
        self(file).pending_.clear();
        return SQLITE_OK;
    }
    static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
        return self(file).read(static_cast<char*>(to), size, at);
    }
    static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
        try {
            return self(file).write(static_cast<const char*>(from), size, at);
        } catch (const std::bad_alloc&) {
            return SQLITE_NOMEM;
        }
    }
    static int truncate(sqlite3_file* file, sqlite3_int64 size) { return self(file).truncate(size); }
    static int sync(sqlite3_file* file, int flags) { return self(file).sync(flags); }
    static int size(sqlite3_file* file, sqlite3_int64* out) {
        const int rc = methods(file).xFileSize(kept(file), out);
        if (!self(file).pending_.empty()) *out = std::max(*out, self(file).pending_end());
        return rc;
    }
    static int lock(sqlite3_file* file, int level) { return methods(file).xLock(kept(file), level); }
    static int unlock(sqlite3_file* file, int level) { return methods(file).xUnlock(kept(file), level); }
    static int check_lock(sqlite3_file* file, int* out) {
        return methods(file).xCheckReservedLock(kept(file), out);
    }
    static int control(sqlite3_file* file, int what, void* argument) {
        return methods(file).xFileControl(kept(file), what, argument);
    }
    static int sector_size(sqlite3_file* file) { return methods(file).xSectorSize(kept(file)); }
    static int characteristics(sqlite3_file* file) {
        return methods(file).xDeviceCharacteristics(kept(file));
    }

    static const sqlite3_io_methods kJournal;
};

constexpr sqlite3_io_methods JournalVfs::Trampolines::kJournal = [] {
    sqlite3_io_methods m{};
    m.iVersion = 1;
    m.xClose = close;
    m.xRead = read;
    m.xWrite = write;
    m.xTruncate = truncate;
    m.xSync = sync;
    m.xFileSize = size;
    m.xLock = lock;
    m.xUnlock = unlock;
    m.xCheckReservedLock = check_lock;
    m.xFileControl = control;
    m.xSectorSize = sector_size;
    m.xDeviceCharacteristics = characteristics;
    return m;
}();

JournalVfs::JournalVfs()
    : base_(*sqlite3_vfs_find(nullptr)), name_(fmt::format("turboci-{}", fmt::ptr(this))) {
    const auto bytes = static_cast<std::size_t>(base_.szOsFile);
    memory_.resize((bytes + sizeof(std::int64_t) - 1) / sizeof(std::int64_t));
    vfs_.iVersion = 2;
    vfs_.szOsFile = std::max(base_.szOsFile, static_cast<int>(sizeof(File)));
    vfs_.mxPathname = base_.mxPathname;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.xOpen = Trampolines::open;
    vfs_.xDelete = Trampolines::remove;
    vfs_.xAccess = Trampolines::access;
    vfs_.xFullPathname = Trampolines::full_path;
    vfs_.xRandomness = Trampolines::random;
    vfs_.xSleep = Trampolines::sleep;
    vfs_.xCurrentTime = Trampolines::now;
    vfs_.xGetLastError = Trampolines::last_error;
    vfs_.xCurrentTimeInt64 = Trampolines::now64;
    if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) throw std::bad_alloc();
}

JournalVfs::~JournalVfs() {
    close();
    sqlite3_vfs_unregister(&vfs_);
}

int JournalVfs::open(const char* path, int flags, int* flags_out) noexcept {
    close();
    // The name must last as long as the file; SQLite's own lasts as long as its transaction.
    const char* const names = sqlite3_create_filename(sqlite3_filename_database(path), path,
                                                      sqlite3_filename_wal(path), 0, nullptr);
    if (names == nullptr) return SQLITE_NOMEM;
    path_ = sqlite3_filename_journal(names);
    int opened = 0;
    int rc = base_.xOpen(&base_, path_, kept(), flags, &opened);
    // SQLite is content with reading what it may not write, and tells only who asks.
    if (rc == SQLITE_OK && ((opened & SQLITE_OPEN_READWRITE) == 0 || ::stat(path_, &file_) != 0))
        rc = SQLITE_CANTOPEN;
    if (rc != SQLITE_OK) {
        close();
        return rc;
    }
    if (flags_out != nullptr) *flags_out = opened;
    return SQLITE_OK;
}

void JournalVfs::close() noexcept {
    if (is_open()) kept()->pMethods->xClose(kept());
    std::ranges::fill(memory_, 0);
    if (path_ != nullptr) sqlite3_free_filename(sqlite3_filename_database(path_));
    path_ = nullptr;
    has_durable_name_ = false;
}

/// SQLite syncs the directory once after opening, and does not mind if that fails. It would try again for the
/// next transaction; so who keeps the file has to see to it.
bool JournalVfs::has_durable_name() noexcept {
    if (!has_durable_name_) {
        try {
            const std::string path = path_;
            has_durable_name_ = sync_directory(path.substr(0, path.rfind('/') + 1)) == 0;
        } catch (const std::bad_alloc&) {
            // Then it is opened anew.
        }
    }
    return has_durable_name_;
}

/// To open a pipe would wait for ever for somebody at its other end.
bool JournalVfs::may_open(const char* path) noexcept {
    struct stat found {};
    if (::lstat(path, &found) != 0 || (S_ISREG(found.st_mode) && found.st_nlink <= 1)) return true;
    if (error_ == 0) error_ = EINVAL;
    return false;
}

bool JournalVfs::still_at(const char* path) const noexcept {
    struct stat found {};
    return ::stat(path, &found) == 0 && is_same_file(found, file_);
}

int JournalVfs::read(char* to, int size, sqlite3_int64 at) {
    const sqlite3_int64 end = at + size;
    if (!pending_.empty() && at < pending_end() && end > pending_at_) {
        if (at >= pending_at_ && end <= pending_end()) {
            std::memcpy(to, pending_.data() + (at - pending_at_), static_cast<std::size_t>(size));
            return SQLITE_OK;
        }
        if (const int rc = flush(); rc != SQLITE_OK) return rc;
    }
    return kept()->pMethods->xRead(kept(), to, size, at);
}

int JournalVfs::write(const char* from, int size, sqlite3_int64 at) {
    const auto bytes = static_cast<std::size_t>(size);
    // SQLite voids the journal, at the end of a commit or when it has taken all back: then nothing in it
    // counts any more, and what cannot be written, on a full disk say, must not be in the way.
    constexpr std::array<char, 28> kVoid{};
    if (at == 0 && bytes == kVoid.size() && std::memcmp(from, kVoid.data(), bytes) == 0) pending_.clear();
    if (!pending_.empty() && (at != pending_end() || pending_.size() + bytes > kMostPending)) {
        if (const int rc = flush(); rc != SQLITE_OK) return rc;
    }
    if (pending_.empty()) pending_at_ = at;
    pending_.insert(pending_.end(), from, from + bytes);
    return SQLITE_OK;
}

int JournalVfs::truncate(sqlite3_int64 size) {
    if (size <= pending_at_) pending_.clear();
    const int rc = flush();
    return rc == SQLITE_OK ? noted(kept()->pMethods->xTruncate(kept(), size)) : rc;
}

int JournalVfs::sync(int flags) {
    const int rc = flush();
    return rc == SQLITE_OK ? noted(kept()->pMethods->xSync(kept(), flags)) : rc;
}

int JournalVfs::noted(int rc) noexcept {
    if (rc != SQLITE_OK && error_ == 0) error_ = errno;
    return rc;
}

/// What cannot be written stays, to be read from here by whoever rolls back.
int JournalVfs::flush() {
    if (pending_.empty()) return SQLITE_OK;
    const int rc = noted(
        kept()->pMethods->xWrite(kept(), pending_.data(), static_cast<int>(pending_.size()), pending_at_));
    if (rc == SQLITE_OK) pending_.clear();
    return rc;
}

}  // namespace turboci::sqlite
