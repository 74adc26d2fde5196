// SPDX-License-Identifier: BSD-2-Clause
//
// Temporary files and folders that go away however this process ends, SIGKILL excepted: by every other signal, too. What a signal's handler
// may do is little, so it takes names out of a small table that was filled before.
#pragma once

#include <sel4vm/base/types.hpp>

#include <csignal>
#include <string>

namespace sel4vm::cli {

/// While it lives, a signal that ends this process removes the file of this name, or the folder when it is empty then: files last registered go
/// first. Where the table is full or the name too long, the file is not looked after.
class RemovedOnSignal {
public:
    explicit RemovedOnSignal(const std::string &path);
    RemovedOnSignal(const RemovedOnSignal &) = delete;
    RemovedOnSignal &operator=(const RemovedOnSignal &) = delete;
    ~RemovedOnSignal();

private:
    static constexpr usize kNone = ~usize{0};
    usize slot_ = kNone;
};

/// No signal is handled while it lives: between the making of a file and a RemovedOnSignal for it.
class SignalsHeld {
public:
    SignalsHeld();
    SignalsHeld(const SignalsHeld &) = delete;
    SignalsHeld &operator=(const SignalsHeld &) = delete;
    ~SignalsHeld();

private:
    sigset_t before_{};
};

} // namespace sel4vm::cli
