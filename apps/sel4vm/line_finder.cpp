// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/line_finder.hpp>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace sel4vm::cli {
namespace {

constexpr int kPatienceMs = 5000; // a report is better without lines than never
constexpr usize kLongestAnswer = 4096;

} // namespace

LineFinder::LineFinder(const std::filesystem::path &elf) {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0)
        return;
    if (::pipe2(out, O_CLOEXEC) != 0) {
        ::close(in[0]);
        ::close(in[1]);
        return;
    }
    posix_spawn_file_actions_t streams;
    posix_spawn_file_actions_init(&streams);
    posix_spawn_file_actions_adddup2(&streams, in[0], 0);
    posix_spawn_file_actions_adddup2(&streams, out[1], 1);
    posix_spawn_file_actions_addopen(&streams, 2, "/dev/null", O_WRONLY, 0);
    std::string file = elf.string();
    std::string words[] = {"addr2line", "-e"};
    char *const arguments[] = {words[0].data(), words[1].data(), file.data(), nullptr};
    if (::posix_spawnp(&process_, arguments[0], &streams, nullptr, arguments, environ) != 0)
        process_ = -1;
    posix_spawn_file_actions_destroy(&streams);
    ::close(in[0]);
    ::close(out[1]);
    questions_ = in[1];
    answers_ = out[0];
    if (process_ < 0)
        stop();
}

LineFinder::~LineFinder() { stop(); }

void LineFinder::stop() {
    for (int *end : {&questions_, &answers_})
        if (*end >= 0)
            ::close(std::exchange(*end, -1));
    if (process_ > 0) {
        ::kill(process_, SIGKILL);
        ::waitpid(std::exchange(process_, -1), nullptr, 0);
    }
}

std::optional<std::string> LineFinder::answer() {
    std::string line;
    while (line.size() < kLongestAnswer) {
        pollfd readable{answers_, POLLIN, 0};
        char next = 0;
        if (::poll(&readable, 1, kPatienceMs) <= 0 || ::read(answers_, &next, 1) != 1)
            return std::nullopt;
        if (next == '\n')
            return line;
        line += next;
    }
    return std::nullopt;
}

std::optional<std::string> LineFinder::line_of(u64 address) {
    if (process_ < 0)
        return std::nullopt;
    const std::string question = fmt::format("{:#x}\n", address);
    if (::write(questions_, question.data(), question.size()) != static_cast<ssize_t>(question.size())) {
        stop();
        return std::nullopt;
    }
    auto line = answer();
    if (!line) {
        stop();
        return std::nullopt;
    }
    if (const usize note = line->find(" (discriminator"); note != std::string::npos)
        line->erase(note);
    if (line->starts_with('?') || line->ends_with(":?") || line->ends_with(":0"))
        return std::nullopt;
    return std::filesystem::path(*line).lexically_normal().string();
}

} // namespace sel4vm::cli
