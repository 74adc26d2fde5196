// SPDX-License-Identifier: BSD-2-Clause
//
// How the tool fails: an exit status and one sentence. Exceptions carry it inside the tool, which is a workstation
// program; main() turns them into the sentence, and none leaves it.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sel4vm::cli {

/// What `sel4vm` ends with. Listed in the man page.
enum class ExitStatus : int {
    ok = 0,
    guest_failed = 1,    // a VM stopped with an error, its kernel's panic among them
    bad_input = 2,       // usage, system file, images
    emulator_failed = 3, // QEMU is missing or failed, or the PC refused something
    timeout = 124,       // as timeout(1)
};

/// One or more sentences for the user, without a prefix and without a full stop.
class Failure : public std::runtime_error {
public:
    Failure(ExitStatus status, std::string sentence)
        : std::runtime_error(sentence), status_(status), sentences_{std::move(sentence)} {}
    Failure(ExitStatus status, std::vector<std::string> sentences)
        : std::runtime_error(sentences.empty() ? std::string{} : sentences.front()), status_(status),
          sentences_(std::move(sentences)) {}

    [[nodiscard]] ExitStatus status() const { return status_; }
    [[nodiscard]] const std::vector<std::string> &sentences() const { return sentences_; }

private:
    ExitStatus status_;
    std::vector<std::string> sentences_;
};

} // namespace sel4vm::cli
