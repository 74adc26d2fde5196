// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/mistakes.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sel4vm::cli {

std::string to_text(const Mistake &mistake) {
    const Origin &at = mistake.at;
    std::string text = at.file;
    if (at.line != 0)
        text += fmt::format(":{}", at.line);
    for (const std::string &part : {at.name, at.value.empty() ? std::string{} : "value " + at.value, mistake.problem}) {
        if (!part.empty())
            text += (text.empty() ? "" : ": ") + part;
    }
    return one_line(text);
}

void Mistakes::add(Origin at, std::string problem, MistakeKind kind) {
    if (!enough(kind))
        all_.push_back({std::move(at), std::move(problem)});
    ++counts_[static_cast<usize>(kind)];
}

std::vector<std::string> Mistakes::take_warnings() {
    std::vector<std::string> out;
    for (const Mistake &warning : std::exchange(warnings_, {}))
        out.push_back(to_text(warning));
    return out;
}

std::vector<std::string> Mistakes::texts() const {
    std::vector<const Mistake *> sorted;
    for (const Mistake &mistake : all_)
        sorted.push_back(&mistake);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Mistake *a, const Mistake *b) { return a->at.line < b->at.line; });
    std::vector<std::string> out;
    for (const Mistake *mistake : sorted)
        out.push_back(to_text(*mistake));
    constexpr std::array kMore{"wrong values", "missing values", "unknown keys", "mistakes"}; // by kind
    for (usize kind = 0; kind < counts_.size(); ++kind)
        if (counts_[kind] > kMostOfAKind)
            out.push_back(fmt::format("and {} more {}", counts_[kind] - kMostOfAKind, kMore[kind]));
    return out;
}

} // namespace sel4vm::cli
