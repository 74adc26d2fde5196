// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/files.hpp>

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <zlib.h>

namespace sel4vm::cli {
namespace {

Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

Bytes gzip(const Bytes &data) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    Bytes out(data.size() + 1024);
    Bytes copy = data;
    stream.next_in = copy.data();
    stream.avail_in = static_cast<uInt>(copy.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

class Files : public testing::Test {
protected:
    void put(const std::string &name, const Bytes &data) const {
        std::ofstream(folder_.path() / name, std::ios::binary)
            .write(reinterpret_cast<const char *>(data.data()), static_cast<std::streamsize>(data.size()));
    }
    [[nodiscard]] usize file_count() const {
        const auto files = std::filesystem::directory_iterator(folder_.path());
        return static_cast<usize>(std::distance(begin(files), end(files)));
    }
    TemporaryFolder folder_;
};

TEST(Gunzip, UnpacksOneMemberOrSeveral) {
    const Bytes data(3'000'000, 7);
    EXPECT_EQ(gunzip(gzip(data)), data);
    Bytes twice = gzip(bytes("a"));
    const Bytes second = gzip(bytes("b"));
    twice.insert(twice.end(), second.begin(), second.end());
    EXPECT_EQ(gunzip(twice), bytes("ab"));
}

TEST(Gunzip, IgnoresPaddingBehindTheLastMember) {
    Bytes padded = gzip(bytes("a"));
    padded.resize(padded.size() + 512);
    EXPECT_EQ(gunzip(padded), bytes("a"));
}

TEST(Gunzip, RefusesDamagedAndCutFiles) {
    const Bytes good = gzip(Bytes(100'000, 1));
    for (const usize length : {usize{3}, usize{12}, good.size() / 2, good.size() - 1})
        EXPECT_EQ(gunzip(std::span(good).first(length)).error(), "is a gzip file that ends too early") << length;
    Bytes damaged = good;
    damaged[good.size() / 2] ^= 0xff;
    EXPECT_EQ(gunzip(damaged).error(), "is a damaged gzip file");
}

TEST(Gunzip, StopsAtTheLimit) {
    EXPECT_EQ(gunzip(gzip(Bytes(2'000'000, 0)), {kMiB}).error(), "is larger than 1 MiB when decompressed");
    EXPECT_EQ(gunzip(gzip(Bytes(2'000'000, 0)), {kMiB, "the memory of its VM"}).error(),
              "is larger than 1 MiB when decompressed, the memory of its VM");
    EXPECT_EQ(gunzip(gzip(Bytes(kMiB, 0)), {kMiB})->size(), kMiB);
}

TEST_F(Files, AreReadWholeOrNotAtAll) {
    put("a", Bytes(3'000'001, 5));
    EXPECT_EQ(read_file(folder_.path() / "a")->size(), 3'000'001U);
    EXPECT_EQ(read_file(folder_.path() / "a", {kMiB}).error(), "is larger than 1 MiB");
    EXPECT_EQ(read_file(folder_.path() / "b").error(), "cannot be read: No such file or directory");
    EXPECT_EQ(read_file(folder_.path()).error(), "is a folder, not a file");
    put("empty", {});
    EXPECT_TRUE(read_file(folder_.path() / "empty")->empty());
}

TEST_F(Files, AreNotReadWhenTheirSizeAlreadySaysTooMuch) {
    const auto sparse = folder_.path() / "sparse";
    ASSERT_TRUE(std::ofstream(sparse).good());
    ASSERT_EQ(::truncate(sparse.c_str(), off_t{17} * kGiB), 0);
    EXPECT_EQ(read_file(sparse).error(), "is larger than 16 GiB");
    EXPECT_EQ(read_file(sparse, {kMiB, "the memory of its VM"}).error(), "is larger than 1 MiB, the memory of its VM");
    const auto exact = folder_.path() / "exact";
    put("exact", Bytes(4096, 1));
    EXPECT_EQ(read_file(exact, {4096})->size(), 4096U);
    EXPECT_EQ(read_file(exact, {4095}).error(), "is larger than 4095 bytes");
}

TEST_F(Files, AreNoDevicesAndSockets) {
    EXPECT_EQ(read_file("/dev/zero").error(), "is a device, not a file");
    EXPECT_EQ(read_file("/dev/null").error(), "is a device, not a file");
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_.path() / "s";
    ASSERT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address), 0);
    EXPECT_EQ(read_file(path).error(), "is a socket, not a file");
    ::close(fd);
}

TEST_F(Files, AreReadFromAPipeThatSomebodyWritesTo) {
    const std::string pipe = folder_.path() / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    std::thread writer([&pipe] { std::ofstream(pipe, std::ios::binary) << std::string(300'000, 'x'); });
    EXPECT_EQ(read_file(pipe), Bytes(300'000, 'x'));
    writer.join();
    writer = std::thread([&pipe] {
        const int fd = ::open(pipe.c_str(), O_WRONLY | O_CLOEXEC);
        std::signal(SIGPIPE, SIG_IGN); // the reader goes away
        const Bytes chunk(4096);
        while (::write(fd, chunk.data(), chunk.size()) > 0) {
        }
        ::close(fd);
    });
    EXPECT_EQ(read_file(pipe, {kMiB}).error(), "is larger than 1 MiB") << "and there is no end";
    writer.join();
    EXPECT_EQ(read_file(pipe).error(), "is a pipe into which nobody writes for 10 s");
}

TEST_F(Files, AreReplacedOnlyWhenComplete) {
    put("out", bytes("old"));
    {
        OutputFile file(folder_.path() / "out");
        file.write(bytes("new"));
        EXPECT_EQ(read_file(folder_.path() / "out"), bytes("old"));
    }
    EXPECT_EQ(read_file(folder_.path() / "out"), bytes("old")) << "not committed";
    EXPECT_EQ(file_count(), 1U) << "nothing else is left";

    OutputFile file(folder_.path() / "out");
    file.write(bytes("new"));
    file.commit();
    EXPECT_EQ(read_file(folder_.path() / "out"), bytes("new"));
    EXPECT_EQ(file_count(), 1U);
}

TEST_F(Files, HaveTheModeThatTheUserMaskSays) {
    const mode_t before = ::umask(027);
    OutputFile file(folder_.path() / "out");
    file.commit();
    ::umask(before);
    struct stat status {};
    ASSERT_EQ(::stat((folder_.path() / "out").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST_F(Files, AreNotWrittenOverFoldersOrIntoNowhere) {
    EXPECT_THROW(OutputFile(folder_.path()), Failure);
    EXPECT_THROW(OutputFile(folder_.path() / "no" / "where"), Failure);
    EXPECT_THROW(OutputFile("/dev/null"), Failure);
}

} // namespace
} // namespace sel4vm::cli
