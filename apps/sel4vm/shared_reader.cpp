// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/shared_reader.hpp>
#include <apps/sel4vm/vm_reader.hpp>

#include <fmt/format.h>
#include <map>

namespace sel4vm::cli {
namespace {

class SharedReader {
public:
    SharedReader(System &system, Mistakes &mistakes) : system_(system), mistakes_(mistakes) {}

    void read(TomlReader &table) {
        machine::SharedRecord record;
        const auto name = table.text("name");
        if (const auto size = table.size("size"))
            record.size_bytes = size->value;
        // Where it is in doubt, one that no other has.
        record.name = system_.keep(name && is_new(*name) ? name->value : fmt::format("shared{}", ++unnamed_));
        auto sides = table.tables("side");
        std::map<usize, Origin> vms;
        for (TomlReader &each : sides) {
            read_side(table, each, record, vms);
            ++record.side;
        }
        if (sides.size() == 1)
            mistakes_.expected(sides[0].origin("vm"), "at least two VMs that share it");
        if (vms.size() == 1) // which is said, or only so because of what is said
            system_.doubt(fmt::format("vm[{}].shared.{}.sides", vms.begin()->first, record.name));
    }

private:
    [[nodiscard]] bool is_new(const Given<std::string> &name) {
        const auto [found, made] = names_.try_emplace(name.value, name.origin);
        if (!made)
            mistakes_.expected(
                name.origin,
                fmt::format("a name of its own for each shared memory: one has it, by line {}", found->second.line));
        return made;
    }

    /// The VM that a side names, none of which it is yet.
    [[nodiscard]] std::optional<usize> find_vm(TomlReader &side, std::map<usize, Origin> &before) {
        const auto name = side.text("vm");
        if (!name)
            return std::nullopt;
        const auto &vms = system_.description.vms;
        for (usize i = 0; i < vms.size(); ++i) {
            if (vms[i].name != name->value)
                continue;
            const auto [found, made] = before.try_emplace(i, name->origin);
            if (made)
                return i;
            mistakes_.expected(name->origin, fmt::format("each VM once: it has a side by line {}", found->second.line));
            return std::nullopt;
        }
        if (!system_.doubtful("vm"))
            mistakes_.expected(name->origin, "the name of a VM");
        return std::nullopt;
    }

    void read_side(TomlReader &table, TomlReader &side, machine::SharedRecord record, std::map<usize, Origin> &vms) {
        choose(side, "access", record.access);
        if (const auto value = side.address("address"))
            record.base = Gpa{value->value};
        if (const auto value = side.address("doorbell"))
            record.doorbell = Gpa{value->value};
        if (const auto value = side.number("irq"))
            record.spi = static_cast<u32>(value->value);
        const auto vm = find_vm(side, vms);
        if (!vm)
            return;
        const std::string key = fmt::format("vm[{}].shared.{}", *vm, record.name);
        system_.said(key, side.origin());
        note(table, "name", system_, key + ".name");
        note(table, "size", system_, key + ".size");
        note(side, "access", system_, key + ".access");
        note(side, "address", system_, key + ".base");
        note(side, "doorbell", system_, key + ".doorbell");
        note(side, "irq", system_, key + ".spi");
        static_cast<void>(system_.description.vms[*vm].shared.emplace_back(record)); // as many as there are tables
    }

    System &system_;
    Mistakes &mistakes_;
    std::map<std::string, Origin, std::less<>> names_;
    unsigned unnamed_ = 0;
};

} // namespace

void read_shared(TomlReader &root, System &system, Mistakes &mistakes) {
    SharedReader reader(system, mistakes);
    for (TomlReader &table : root.tables("shared"))
        reader.read(table);
}

} // namespace sel4vm::cli
