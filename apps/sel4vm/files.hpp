// SPDX-License-Identifier: BSD-2-Clause
//
// Whole files in and out. Input is read with a limit, and only from regular files, whose size is looked at first, and from pipes
// that somebody writes to: no device, and nothing that could keep the tool waiting for ever. Output appears under its name only when it is complete, so that a
// failed build leaves nothing behind and a running one never shows half a file.
#pragma once

#include <apps/sel4vm/cleanup.hpp>
#include <sel4vm/base/types.hpp>

#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace sel4vm::cli {

using Bytes = std::vector<u8>;

/// Larger inputs are refused: no guest of this machine has room for one.
inline constexpr u64 kLargestInputBytes = 16 * kGiB;

/// The most that an input may have, and for people where that comes from.
struct SizeLimit {
    u64 bytes = kLargestInputBytes;
    std::string_view reason{}; // "the memory of its VM"; may be empty
};

/// The content, or why not, as a phrase: "cannot be read: No such file or directory".
[[nodiscard]] tl::expected<Bytes, std::string> read_file(const std::filesystem::path &path, SizeLimit limit = {});

/// How a regular file begins, and how long it is. Empty for what is none or cannot be read.
struct FileHead {
    Bytes bytes;
    u64 file_bytes = 0;
};
[[nodiscard]] FileHead read_head(const std::filesystem::path &path);

/// True for data that starts as a gzip member does.
[[nodiscard]] bool is_gzip(std::span<const u8> data);

/// The decompressed content of one gzip file (several members are joined), or why not, as a phrase.
[[nodiscard]] tl::expected<Bytes, std::string> gunzip(std::span<const u8> data, SizeLimit limit = {kGiB});

/// A file that is made beside its final name. commit() gives it the name; without it, the destructor removes it.
class OutputFile {
public:
    /// Throws Failure (bad_input) when the folder does not take a new file or `path` names something else than a file.
    explicit OutputFile(std::filesystem::path path);
    OutputFile(const OutputFile &) = delete;
    OutputFile &operator=(const OutputFile &) = delete;
    ~OutputFile();

    void write(std::span<const u8> data);
    /// Closes the file; with several files, finish all before the first commit().
    void finish();
    void commit();

private:
    [[noreturn]] void fail(const char *doing) const;
    std::filesystem::path path_;
    std::string temporary_;
    std::optional<RemovedOnSignal> removed_;
    int fd_ = -1;
};

/// A folder for the files of one run, removed with its content at the end.
class TemporaryFolder {
public:
    TemporaryFolder();
    TemporaryFolder(const TemporaryFolder &) = delete;
    TemporaryFolder &operator=(const TemporaryFolder &) = delete;
    ~TemporaryFolder();
    [[nodiscard]] const std::filesystem::path &path() const { return path_; }
    /// The path of a file in it, which goes with it. Not for files in folders in it.
    [[nodiscard]] std::filesystem::path file(std::string_view name);

private:
    std::filesystem::path path_;
    std::deque<RemovedOnSignal> removed_;
};

} // namespace sel4vm::cli
