// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/qemu.hpp>
#include <apps/sel4vm/shared_reader.hpp>
#include <apps/sel4vm/system_file.hpp>
#include <apps/sel4vm/text.hpp>
#include <apps/sel4vm/vm_reader.hpp>

#include <fmt/format.h>

namespace sel4vm::cli {
namespace {

using namespace std::string_view_literals;

constexpr u8 kOwnKey = 'A' - '@'; // of `sel4vm run`, at a terminal: docs/console.md

/// Everything but the VMs.
class FileReader {
public:
    FileReader(System &system, Mistakes &mistakes) : system_(system), mistakes_(mistakes) {}

    void read(TomlReader &root) {
        system_.said("", root.origin());
        if (auto table = root.table("system"))
            read_system(*table);
        if (auto table = root.table("console"))
            read_console(*table);
        if (auto table = root.table("qemu"))
            read_qemu(*table);
        if (auto table = root.table("bench"))
            read_bench(*table);
        for (TomlReader &table : root.tables("switch"))
            read_switch(table);
    }

private:
    void read_system(TomlReader &table) {
        machine::SystemDescription &out = system_.description;
        choose(table, "log_level", out.log_level);
        choose(table, "exit", out.exit_method);
        if (const auto value = table.number("time_slice_us"))
            out.time_slice_us = static_cast<u32>(value->value);
        note(table, "time_slice_us", system_, "time_slice_us");
    }

    void read_console(TomlReader &table) {
        machine::ConsoleOptions &out = system_.description.console;
        choose(table, "prefix", out.prefix);
        if (const auto value = table.text("input"))
            out.input = system_.keep(value->value);
        note(table, "input", system_, "console.input");
        if (const auto value = table.text("escape")) {
            if (value->value.size() == 2 && value->value[0] == '^' && value->value[1] >= '@' && value->value[1] <= '_')
                out.escape = static_cast<u8>(value->value[1] - '@');
            else
                table.refuse("escape");
        }
        note(table, "escape", system_, "console.escape");
        if (out.escape == kOwnKey)
            mistakes_.warn(
                system_.origin_of("console.escape"),
                "at a terminal of sel4vm run, Ctrl-A is the tool's own key: typed as Ctrl-A a, it is this one");
    }

    void read_qemu(TomlReader &table) {
        QemuSettings &out = system_.qemu;
        if (const auto value = table.text("cpu")) {
            out.cpu = value->value;
            if (!may_be_aarch64_cpu(value->value))
                table.refuse("cpu");
        }
        if (const auto value = table.number("gic"))
            out.gic = static_cast<u32>(value->value);
        if (const auto value = table.number("cpus"))
            out.cpus = static_cast<u32>(value->value);
        if (const auto value = table.size("memory"))
            out.memory_bytes = value->value;
        note(table, "gic", system_, "qemu.gic");
        note(table, "cpus", system_, "qemu.cpus");
        note(table, "memory", system_, "qemu.memory");
        for (auto &value : table.texts("arguments"))
            out.arguments.push_back(value.value);
    }

    void read_switch(TomlReader &table) {
        auto &switches = system_.description.switches;
        const std::string key = fmt::format("switch[{}]", switches.size());
        system_.said(key, table.origin());
        note(table, "name", system_, key + ".name");
        if (const auto name = table.text("name"))
            static_cast<void>(switches.emplace_back(machine::SwitchRecord{system_.keep(name->value)}));
    }

    void read_bench(TomlReader &table) {
        machine::BenchOptions &bench = system_.description.bench;
        for (const auto &[key, flag] :
             {std::pair{"report_setup"sv, &bench.report_setup}, std::pair{"report_exits"sv, &bench.report_exits},
              std::pair{"skip_clearing"sv, &bench.skip_clearing}}) {
            if (const auto value = table.flag(key))
                *flag = value->value;
        }
    }

    System &system_;
    Mistakes &mistakes_;
};

/// The commonest slip: a value that is neither text in quotes nor anything else.
std::string_view hint_for(std::string_view text) {
    for (const auto kind : {"parsing value"sv, "parsing floating-point"sv, "parsing boolean"sv, "integer"sv})
        if (text.find(kind) != std::string_view::npos)
            return "; is it text without its quotes?";
    return "";
}

/// The parser repeats what it found between quotes, however long it is, and may lose the second quote over it.
std::string what_toml_says(std::string_view text) {
    const usize begin = text.find('\'');
    const usize quote = text.rfind('\'');
    const usize end = quote == begin ? text.size() : quote;
    if (begin == std::string_view::npos || end - begin <= kLongestShown)
        return std::string(text);
    return fmt::format("{}{}'", text.substr(0, begin + 1), shortened(text.substr(begin + 1, end - begin - 1)));
}

} // namespace

std::unique_ptr<System> parse_system(std::string_view text, const std::filesystem::path &file, Mistakes &mistakes) {
    const toml::parse_result result = toml::parse(text);
    if (!result) {
        const toml::parse_error &error = result.error();
        mistakes.add({file.string(), error.source().begin.line, "", ""},
                     fmt::format("not TOML: {}{}", what_toml_says(error.description()), hint_for(error.description())));
        return std::make_unique<System>();
    }
    auto system = std::make_unique<System>();
    TomlReader root(result.table(), system_file_keys(), file.string(), "", mistakes);
    FileReader(*system, mistakes).read(root);
    for (TomlReader &vm : root.tables("vm"))
        read_vm(vm, file.parent_path(), *system, mistakes);
    note(root, "vm", *system, "vm");
    read_shared(root, *system, mistakes);
    return system;
}

} // namespace sel4vm::cli
