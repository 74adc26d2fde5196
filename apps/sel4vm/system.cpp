// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/system.hpp>

#include <apps/sel4vm/machine_cpus.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <sel4vm/machine/cpu_budgets.hpp>
#include <sel4vm/machine/validate.hpp>
#include <set>
#include <utility>

namespace sel4vm::cli {
namespace {

void replace_all(std::string &text, std::string_view what, std::string_view with) {
    for (usize at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

/// Keys of the description as docs/system-file.md spells them, alone or in a sentence.
std::string in_file_words(std::string_view text) {
    std::string key;
    usize depth = 0;
    for (const char c : text) { // without the [N] of lists
        depth += c == '[' ? 1U : 0U;
        if (depth == 0)
            key += c;
        depth -= c == ']' && depth > 0 ? 1U : 0U;
    }
    replace_all(key, "devices.uart", "uart");
    replace_all(key, "devices.rtc", "rtc");
    replace_all(key, ".images", ".image");
    replace_all(key, ".base", ".address");
    replace_all(key, ".spi", ".irq");
    replace_all(key, ".irqs", ".spis");
    return key;
}

std::string key_name(std::string_view description_key) {
    return fmt::format("key '{}'", in_file_words(description_key));
}

/// Whether the path `whole` names what `part` is in, or the same.
bool contains(std::string_view whole, std::string_view part) {
    return part.starts_with(whole) &&
           (part.size() == whole.size() || part[whole.size()] == '.' || part[whole.size()] == '[');
}

/// The thing that a base or a size is of.
std::string_view block_of(std::string_view key) {
    for (const std::string_view end : {".base", ".size"})
        if (key.ends_with(end))
            key.remove_suffix(end.size());
    return key;
}

std::string_view parent_of(std::string_view key) { return key.substr(0, key.find_last_of('.')); }

std::string with_end(std::string_view block, std::string_view end) { return std::string(block) + std::string(end); }

/// What is only wrong together with something that has been reported.
bool follows(const System &system, const machine::Problem &problem) {
    const std::string_view other = problem.other.view();
    if (system.doubtful(problem.key.view()))
        return true;
    if (!other.empty() && (system.doubtful(block_of(problem.key.view())) || system.doubtful(block_of(other))))
        return true;
    if (problem.key.view() != "console.input")
        return false;
    for (usize i = 0; i < system.description.vms.size(); ++i)
        if (system.doubtful(fmt::format("vm[{}].name", i)))
            return true;
    return false;
}

/// Where somebody wrote the place of a block: some blocks are of one size, and their key is the place itself.
const Origin *written_place(const System &system, std::string_view key) {
    const std::string_view block = block_of(key);
    return system.written(block.size() == key.size() ? std::string(key) : with_end(block, ".base"));
}

const Origin *written_size(const System &system, std::string_view key) {
    return system.written(with_end(block_of(key), ".size"));
}

/// Of two ranges that overlap, the one that somebody wrote is wrong, and one whose place was written before one of which only the size was. What it overlaps first is told; that is enough to move it.
void add_overlap(const System &system, const machine::Problem &problem, std::set<std::string> &moved,
                 Mistakes &mistakes) {
    const std::string_view keys[] = {problem.key.view(), problem.other.view()};
    const machine::AddressBlock ranges[] = {problem.range, problem.other_range};
    const Origin *written = nullptr;
    usize wrong = 0;
    for (const auto find : {written_place, written_size}) {
        for (const usize i : {0U, 1U}) {
            if (written == nullptr && (written = find(system, keys[i])) != nullptr)
                wrong = i;
        }
    }
    const std::string_view blocks[] = {block_of(keys[0]), block_of(keys[1])};
    if (!moved.insert(std::string(blocks[wrong])).second)
        return;
    const usize right = 1 - wrong;
    const bool by_default = written_place(system, keys[right]) == nullptr;
    Origin at = written != nullptr ? *written : system.origin_of(problem.key.view());
    if (at.value.empty())
        at.value = fmt::format("{:#x}", ranges[wrong].base.value());
    mistakes.expected(std::move(at), fmt::format("no overlap with {}, which has {} from {:#x} on{}",
                                                 in_file_words(blocks[right]), size_text(ranges[right].size_bytes),
                                                 ranges[right].base.value(), by_default ? " by default" : ""));
}

/// A problem as it is told: of two values that do not go together, the one that somebody wrote is wrong.
struct Told {
    Origin at;
    std::string expected;
};

Told told(const System &system, const machine::Problem &problem) {
    std::string expected(problem.expected.view());
    const std::string_view key = problem.key.view();
    const std::string_view other = problem.other.view();
    const Origin *at = other.empty() || system.written(key) != nullptr ? nullptr : system.written(other);
    if (at == nullptr)
        return {system.origin_of(key), in_file_words(expected)};
    // It may name the other one: a key, or what the key is of.
    for (const auto &[from, to] : {std::pair{other, key}, std::pair{parent_of(other), parent_of(key)}})
        replace_all(expected, from, to);
    return {*at, in_file_words(expected)};
}

} // namespace

const Origin *System::written(std::string_view description_key) const {
    const auto found = origins_.find(description_key);
    return found == origins_.end() ? nullptr : &found->second;
}

bool System::doubtful(std::string_view description_key) const {
    return std::any_of(doubts_.begin(), doubts_.end(), [description_key](const std::string &doubt) {
        return contains(doubt, description_key) || contains(description_key, doubt);
    });
}

Origin System::origin_of(std::string_view description_key) const {
    std::string_view key = description_key;
    for (;;) {
        if (const auto found = origins_.find(key); found != origins_.end()) {
            Origin at = found->second;
            if (key.size() != description_key.size()) {
                // About something inside what was written, or left to its default there: name that, too.
                at.name = key_name(description_key);
                at.value.clear();
            }
            return at;
        }
        const usize cut = key.find_last_of(".[");
        if (cut == std::string_view::npos)
            break;
        key = key.substr(0, cut);
    }
    const auto whole = origins_.find("");
    Origin at = whole == origins_.end() ? Origin{} : whole->second;
    at.name = key_name(description_key);
    return at;
}

void System::add_image(usize vm, machine::ImageRecord record, std::filesystem::path path, Origin origin,
                       Mistakes &mistakes) {
    auto &records = description.vms[vm].images;
    record.blob = static_cast<u32>(images.size());
    record.source = keep(path.string());
    if (records.emplace_back(record) == nullptr) {
        mistakes.expected(std::move(origin), fmt::format("at most {} images in a VM", machine::kMaxImages));
        return;
    }
    images.push_back({vm, records.size() - 1, std::move(path), std::move(origin)});
}

void validate_description(const System &system, Mistakes &mistakes, std::span<const std::optional<u64>> least_memory) {
    std::set<std::string> moved;
    std::set<std::string> said;
    machine::Problems problems = machine::validate(system.description);
    if (problems.empty()) {
        const auto placed = machine::place_vcpus(
            system.description, std::min(system.qemu.cpus.value_or(machine_cpus(system)), machine::kMaxCpus));
        if (const auto excess = placed ? machine::find_excess(system.description, *placed) : std::nullopt)
            static_cast<void>(problems.emplace_back(*excess));
    }
    for (const machine::Problem &problem : problems) {
        if (follows(system, problem))
            continue;
        if (problem.range.size_bytes != 0) {
            add_overlap(system, problem, moved, mistakes);
            continue;
        }
        auto [at, expected] = told(system, problem);
        for (usize i = 0; i < least_memory.size(); ++i)
            if (least_memory[i] && problem.key.view() == fmt::format("vm[{}].memory[0].size", i))
                expected = fmt::format("at least {}", size_text(*least_memory[i]));
        if (problem.value.view() == "none") { // what the library prints for a value that is not there
            mistakes.missing(std::move(at), "expected " + expected);
            continue;
        }
        if (at.value.empty())
            at.value = problem.value.view();
        if (said.insert(to_text({at, expected})).second) // once, of a value that several VMs have
            mistakes.expected(std::move(at), expected);
    }
}

} // namespace sel4vm::cli
