// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/files.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <zlib.h>

namespace sel4vm::cli {
namespace {

constexpr usize kChunkBytes = usize{1} << 20;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    ~Descriptor() {
        if (fd_ >= 0)
            ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

/// How long a pipe may be silent.
constexpr int kPipeSeconds = 10;

tl::unexpected<std::string> unreadable() {
    return tl::unexpected(fmt::format("cannot be read: {}", error_text(errno)));
}

tl::unexpected<std::string> too_large(SizeLimit limit, std::string_view when = "") {
    return tl::unexpected(fmt::format("is larger than {}{}{}{}", size_text(limit.bytes), when,
                                      limit.reason.empty() ? "" : ", ", limit.reason));
}

/// What something is that is not read from; nullptr for regular files and pipes.
const char *no_input(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFIFO: return nullptr;
    case S_IFDIR: return "is a folder, not a file";
    case S_IFSOCK: return "is a socket, not a file";
    default: return "is a device, not a file";
    }
}

/// Until there is something to read, the end included. False when that takes too long.
bool wait_for_input(int fd) {
    pollfd input{fd, POLLIN, 0};
    int ready = 0;
    do {
        ready = ::poll(&input, 1, kPipeSeconds * 1000);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

} // namespace

tl::expected<Bytes, std::string> read_file(const std::filesystem::path &path, SizeLimit limit) {
    // Looked at before it is opened, which some devices notice, and again when it is the one that is read.
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return unreadable();
    if (const char *what = no_input(status.st_mode); what != nullptr)
        return tl::unexpected(std::string(what));
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0)
        return unreadable();
    if (const char *what = no_input(status.st_mode); what != nullptr)
        return tl::unexpected(std::string(what));
    const bool pipe = S_ISFIFO(status.st_mode);
    if (!pipe && static_cast<u64>(status.st_size) > limit.bytes)
        return too_large(limit);

    Bytes data;
    data.reserve(pipe ? 0 : static_cast<usize>(status.st_size) + 1);
    for (;;) {
        if (pipe && !wait_for_input(file.get()))
            return tl::unexpected(fmt::format("is a pipe into which nobody writes for {} s", kPipeSeconds));
        const usize have = data.size();
        data.resize(have + std::clamp<usize>(data.capacity() - have, 1, kChunkBytes));
        const ssize_t got = ::read(file.get(), data.data() + have, data.size() - have);
        data.resize(have + static_cast<usize>(std::max<ssize_t>(got, 0)));
        if (got < 0 && errno != EINTR && !(pipe && errno == EAGAIN))
            return unreadable();
        if (data.size() > limit.bytes)
            return too_large(limit);
        if (got == 0)
            return data;
    }
}

FileHead read_head(const std::filesystem::path &path) {
    constexpr usize kHeadBytes = 64 * kKiB;
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return {};
    FileHead head{Bytes(kHeadBytes), static_cast<u64>(status.st_size)};
    const ssize_t got = ::pread(file.get(), head.bytes.data(), head.bytes.size(), 0);
    head.bytes.resize(static_cast<usize>(std::max<ssize_t>(got, 0)));
    return head;
}

bool is_gzip(std::span<const u8> data) {
    return data.size() >= 3 && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8;
}

tl::expected<Bytes, std::string> gunzip(std::span<const u8> data, SizeLimit limit) {
    z_stream stream{};
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK)
        return tl::unexpected(std::string("cannot be decompressed: not enough memory"));
    struct End {
        z_stream *stream;
        ~End() { inflateEnd(stream); }
    } const end{&stream};

    Bytes out;
    Bytes chunk(kChunkBytes);
    usize offset = 0;
    for (;;) {
        if (stream.avail_in == 0) {
            const usize part = std::min(data.size() - offset, kChunkBytes);
            // SAFETY: zlib only reads through next_in; its interface predates const.
            stream.next_in = const_cast<Bytef *>(data.data() + offset);
            stream.avail_in = static_cast<uInt>(part);
            offset += part;
        }
        stream.next_out = chunk.data();
        stream.avail_out = static_cast<uInt>(chunk.size());
        const int result = inflate(&stream, Z_NO_FLUSH);
        out.insert(out.end(), chunk.begin(), chunk.end() - static_cast<std::ptrdiff_t>(stream.avail_out));
        if (out.size() > limit.bytes)
            return too_large(limit, " when decompressed");
        if (result == Z_STREAM_END) {
            const usize left = data.size() - offset + stream.avail_in;
            if (!is_gzip(data.subspan(data.size() - left)))
                return out; // what follows the last member is padding
            inflateReset(&stream);
        } else if (result == Z_BUF_ERROR ||
                   (result == Z_OK && stream.avail_in == 0 && offset == data.size() && stream.avail_out != 0)) {
            return tl::unexpected(std::string("is a gzip file that ends too early"));
        } else if (result != Z_OK) {
            return tl::unexpected(std::string("is a damaged gzip file"));
        }
    }
}

OutputFile::OutputFile(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code ignored;
    const auto status = std::filesystem::status(path_, ignored);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        throw Failure(ExitStatus::bad_input,
                      fmt::format("{}: is not a regular file, so it is not replaced", shown_path(path_.string())));
    temporary_ = path_.string() + ".XXXXXX";
    {
        const SignalsHeld held;
        fd_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
        if (fd_ >= 0)
            removed_.emplace(temporary_);
    }
    if (fd_ < 0) {
        temporary_.clear();
        fail("cannot be written");
    }
    const mode_t mask = ::umask(0);
    ::umask(mask);
    static_cast<void>(::fchmod(fd_, 0666 & ~mask)); // some file systems have no modes
}

OutputFile::~OutputFile() {
    if (fd_ >= 0)
        ::close(fd_);
    if (!temporary_.empty())
        ::unlink(temporary_.c_str());
}

void OutputFile::write(std::span<const u8> data) {
    while (!data.empty()) {
        const ssize_t written = ::write(fd_, data.data(), data.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            fail("cannot be written");
        data = data.subspan(static_cast<usize>(written));
    }
}

void OutputFile::finish() {
    if (::close(std::exchange(fd_, -1)) != 0)
        fail("cannot be written");
}

void OutputFile::commit() {
    if (fd_ >= 0)
        finish();
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
        fail("cannot be replaced");
    removed_.reset();
    temporary_.clear();
}

void OutputFile::fail(const char *doing) const {
    throw Failure(ExitStatus::bad_input,
                  fmt::format("{}: {}: {}", shown_path(path_.string()), doing, error_text(errno)));
}

TemporaryFolder::TemporaryFolder() {
    const char *base = std::getenv("TMPDIR");
    const bool given = base != nullptr && *base != '\0';
    std::string name = fmt::format("{}/sel4vm-XXXXXX", given ? base : "/tmp");
    const SignalsHeld held;
    if (::mkdtemp(name.data()) == nullptr)
        throw Failure(ExitStatus::emulator_failed,
                      fmt::format("{}no folder can be made in {}: {}", given ? "TMPDIR: " : "",
                                  shown_path(given ? base : "/tmp"), error_text(errno)));
    path_ = name;
    removed_.emplace_back(name);
}

std::filesystem::path TemporaryFolder::file(std::string_view name) {
    std::filesystem::path path = path_ / name;
    removed_.emplace_back(path.string());
    return path;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

} // namespace sel4vm::cli
