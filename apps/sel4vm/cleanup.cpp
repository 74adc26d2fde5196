// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/cleanup.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <initializer_list>
#include <unistd.h>

namespace sel4vm::cli {
namespace {

struct Slot {
    std::atomic<bool> used = false;
    std::array<char, 4096> path{};
};

// Where a handler finds them: it has no other way.
std::array<Slot, 8> slots; // NOLINT
std::atomic<pid_t> owner = 0;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

/// Only async-signal-safe calls.
void remove_all_and_die(int number) {
    if (::getpid() == owner.load()) { // not in a child between fork and exec
        for (usize i = slots.size(); i-- > 0;)
            if (slots[i].used.load() && ::unlink(slots[i].path.data()) != 0)
                ::rmdir(slots[i].path.data());
    }
    std::signal(number, SIG_DFL);
    ::raise(number); // is pending until the handler returns
}

void catch_signals() {
    owner = ::getpid();
    for (const int number :
         {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,   SIGBUS,  SIGFPE, SIGSEGV, SIGUSR1,
          SIGUSR2, SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO,  SIGPWR,  SIGSYS}) {
        struct sigaction before {};
        ::sigaction(number, nullptr, &before);
        if (before.sa_handler != SIG_DFL) // ignored by whoever started this, or a sanitizer's
            continue;
        struct sigaction action {};
        action.sa_handler = remove_all_and_die;
        ::sigaction(number, &action, nullptr);
    }
}

} // namespace

RemovedOnSignal::RemovedOnSignal(const std::string &path) {
    for (usize i = 0; i < slots.size() && path.size() < slots[i].path.size(); ++i) {
        if (slots[i].used.load())
            continue;
        path.copy(slots[i].path.data(), path.size());
        slots[i].path[path.size()] = '\0';
        slot_ = i;
        catch_signals();
        slots[i].used = true;
        return;
    }
}

RemovedOnSignal::~RemovedOnSignal() {
    if (slot_ != kNone)
        slots[slot_].used = false;
}

SignalsHeld::SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
}

SignalsHeld::~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

} // namespace sel4vm::cli
