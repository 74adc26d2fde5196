// SPDX-License-Identifier: BSD-2-Clause
//
// A program on the fake host, run by hand: where the environment variable SEL4VM_FAKE_FILES names a folder, files that the program asks for
// by name come from there, the host's console is standard input and output, and the log is standard error. Without the variable there is
// none of this, as tests want it.
#pragma once

#include <sel4vm/base/result.hpp>

#include <span>
#include <string>
#include <string_view>

namespace sel4vm::fake {

class Process {
public:
    Process();

    [[nodiscard]] bool is_used() const { return !folder_.empty(); }
    /// The file of that name in the folder; or a value of errno.
    [[nodiscard]] Result<std::string, int> file(const std::string &name) const;
    /// Why there is none, for people.
    [[nodiscard]] std::string missing(const std::string &name, int error) const;
    /// A whole file; or a value of errno.
    [[nodiscard]] static Result<std::string, int> read_file(const std::string &path);

    static void put(std::string_view bytes);
    static void log(std::string_view source, std::string_view text);
    /// What was typed, without waiting.
    [[nodiscard]] size_t get(std::span<char> out);

    enum class Wait : bool { no, yes };
    /// Whether something was typed since get() last found less than it looked for; with Wait::yes, sleeps until then. The end of the
    /// input is told once.
    [[nodiscard]] bool take_news(Wait wait);

private:
    [[nodiscard]] static bool is_readable(Wait wait);

    std::string folder_;
    bool told_ = false;
    bool at_end_ = false;
};
[[nodiscard]] Process &process();

} // namespace sel4vm::fake
