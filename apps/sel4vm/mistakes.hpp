// SPDX-License-Identifier: BSD-2-Clause
//
// What is wrong with what a person wrote, collected so that all of it is reported at once. Each mistake says where, which
// key or option, its value and what was expected.
#pragma once

#include <sel4vm/base/types.hpp>

#include <array>
#include <string>
#include <vector>

namespace sel4vm::cli {

/// Where a value was written.
struct Origin {
    std::string file;  // empty for the command line
    u32 line = 0;      // 0 when it is about the whole file
    std::string name;  // "key 'vm.memory'", "option '--memory'"; empty for the file itself
    std::string value; // as to be printed; empty when none was given
};

struct Mistake {
    Origin at;
    std::string problem; // "expected ...", "missing: expected ..."
};

/// "system.toml:3: key 'vm.memory': value "x": expected ..."
[[nodiscard]] std::string to_text(const Mistake &mistake);

/// What is listed together: of each kind the first kMostOfAKind, and how many more there are.
enum class MistakeKind : u8 { wrong, missing, unknown, other };

class Mistakes {
public:
    static constexpr usize kMostOfAKind = 20;

    void add(Origin at, std::string problem, MistakeKind kind = MistakeKind::other);
    void expected(Origin at, const std::string &what) { add(std::move(at), "expected " + what, MistakeKind::wrong); }
    /// Something that must be there is not; `what` may be empty.
    void missing(Origin at, const std::string &what) { add(std::move(at), "missing: " + what, MistakeKind::missing); }
    /// Not a mistake, perhaps: for people to know.
    void warn(Origin at, std::string text) { warnings_.push_back({std::move(at), std::move(text)}); }
    /// Those since the last call, as lines.
    [[nodiscard]] std::vector<std::string> take_warnings();
    [[nodiscard]] bool empty() const { return all_.empty(); }
    /// Whether the next one of this kind would only be counted.
    [[nodiscard]] bool enough(MistakeKind kind) const { return counts_[static_cast<usize>(kind)] >= kMostOfAKind; }
    /// As lines, in the order of the file.
    [[nodiscard]] std::vector<std::string> texts() const;

private:
    std::vector<Mistake> all_; // those that are listed
    std::array<usize, 4> counts_{};
    std::vector<Mistake> warnings_;
};

} // namespace sel4vm::cli
