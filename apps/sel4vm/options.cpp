// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/completion.hpp>
#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/options.hpp>
#include <apps/sel4vm/schema.hpp>
#include <apps/sel4vm/text.hpp>
#include <apps/sel4vm/version.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <memory>
#include <sel4vm/machine/names.hpp>

namespace sel4vm::cli {
namespace {

constexpr const char *kFooter = "Exit status: 0 the guest powered off (or all is well), 1 a guest failed, 2 bad input, "
                                "3 QEMU failed, 124 time is up.\n"
                                "See sel4vm(1) for everything, and docs/system-file.md for the format of FILE.";

constexpr const char *kRunFooter = "FILE describes a whole system; without it, --kernel or --firmware describe one VM. "
                                   "With a FILE that has one VM, the\n"
                                   "other options change it. The terminal is the guest's console: Ctrl-A x ends the "
                                   "run, Ctrl-A h lists the other keys.\n"
                                   "Input that is not a terminal is fed to the console and followed by Ctrl-D.";

void add_host_image(CLI::App &command, std::optional<std::string> &value) {
    command
        .add_option("--host-image", value,
                    "The host program to put below the VMs (default: the one that came with this tool)")
        ->type_name("FILE");
}

void add_vm_options(CLI::App &command, VmOptions &vm) {
    command.add_option("--kernel", vm.kernel, "Guest kernel: arm64 Image, gzip'd Image, ELF or raw binary")
        ->type_name("FILE");
    command.add_option("--initrd", vm.initrd, "Initial RAM disk")->type_name("FILE");
    command
        .add_option("--disk", vm.disks,
                    "A further disk, by virtio: a raw file or a qcow2. ',ro' makes it read-only, ',keep' lets what is "
                    "written go into the file, otherwise it is gone at the end; ',pci' puts it on PCI")
        ->type_name("FILE[,ro|,keep][,pci]")
        ->allow_extra_args(false);
    command.add_option("--cmdline", vm.cmdline, "Kernel command line")->type_name("TEXT");
    command.add_option("--memory", vm.memory, "Guest memory, such as 512M or 1G (default 512M)")->type_name("SIZE");
    command.add_option("--vcpus", vm.vcpus, "Number of virtual CPUs (default 1)")->type_name("N");
    command.add_option("--gic", vm.gic, "Version of the interrupt controller: 2 or 3 (default 3)")->type_name("N");
    command
        .add_option("--msi", vm.msi,
                    "What takes message-signalled interrupts: none, v2m (a GICv2m frame), and with version 3 mbi (the "
                    "distributor) or its (default none)")
        ->type_name("WHAT");
    command.add_option("--dtb", vm.dtb, "Device tree to give the guest instead of a generated one")->type_name("FILE");
    command
        .add_option(
            "--firmware", vm.firmware,
            "Read-only image at address 0 where the guest starts; uefi is the one that this machine has installed")
        ->type_name("FILE");
    command.add_option("--flash", vm.flash, "What the flash for firmware's variables holds at first (default nothing)")
        ->type_name("FILE");
    command
        .add_option("--on-panic", vm.on_panic,
                    "What a panic of the guest's kernel does to its VM: stop, restart or ignore (default stop)")
        ->type_name("WHAT");
}

/// Values of an option that a shell may offer: all that there are, or usual ones.
std::vector<std::string> choices_of(std::string_view option) {
    const auto all = [](auto names) { return std::vector<std::string>(names.begin(), names.end()); };
    if (option == "--gic")
        return {"2", "3"};
    if (option == "--memory")
        return {"256M", "512M", "1G", "2G"};
    if (option == "--cpu")
        return {"cortex-a53", "cortex-a57", "cortex-a72", "neoverse-n1", "max"};
    if (option == "--msi")
        return all(machine::Names<machine::MsiKind>::list);
    if (option == "--on-panic")
        return all(machine::Names<machine::PanicPolicy>::list);
    if (option == "--log-level")
        return all(machine::Names<LogLevel>::list);
    return {};
}

/// Everything that CLI11 needs while it parses; it keeps references into these.
struct Parser {
    CLI::App app{"Builds and runs systems of AArch64 guest virtual machines.", "sel4vm"};
    CheckOptions check;
    BuildOptions build;
    RunOptions run;
    InspectOptions inspect;
    std::string shell;
    CLI::App *check_command = nullptr;
    CLI::App *build_command = nullptr;
    CLI::App *run_command = nullptr;
    CLI::App *inspect_command = nullptr;
    CLI::App *schema_command = nullptr;
    CLI::App *completion_command = nullptr;

    Parser() {
        app.require_subcommand(1);
        app.set_version_flag("--version", fmt::format("sel4vm {}", kVersion), "Print the version and exit");
        app.set_help_all_flag("--help-all", "Print this help with that of all commands and exit");
        app.footer(kFooter);
        app.get_formatter()->column_width(34);
        // As with most tools, the last of several values counts; the commands made below inherit this.
        app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);

        check_command =
            app.add_subcommand("check", "Report every mistake in a system file and in the files that it names");
        check_command->add_option("FILE", check.file, "System file (TOML)")
            ->required()
            ->type_name("")
            ->multi_option_policy(CLI::MultiOptionPolicy::Throw);

        build_command = app.add_subcommand("build", "Make a bootable image of a system file");
        build_command->add_option("FILE", build.file, "System file (TOML)")
            ->required()
            ->type_name("")
            ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
        build_command
            ->add_option("-o,--output", build.output, "Image to write: an arm64 Image for QEMU, U-Boot and others")
            ->required()
            ->type_name("OUT");
        build_command->add_flag("--pair", build.pair,
                                "Write two files: the host as OUT, the VMs as OUT.bundle, to be loaded as initrd");
        add_host_image(*build_command, build.host_image);
        build_command->add_flag("-v,--verbose", build.verbose, "Say what is done");

        run_command = app.add_subcommand("run", "Build a system and start it in QEMU on this terminal");
        run_command->add_option("FILE", run.file, "System file (TOML)")
            ->type_name("")
            ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
        add_vm_options(*run_command, run.vm);
        run_command
            ->add_option("--cpu", run.cpu,
                         "CPU that QEMU emulates, such as cortex-a57, neoverse-n1 or max (default cortex-a72)")
            ->type_name("NAME");
        run_command
            ->add_option("--cpus", run.cpus,
                         "Number of CPUs that QEMU emulates (default: as many as VMs name, at least 1)")
            ->type_name("N");
        run_command->add_flag("--icount", run.icount, "Let time count instructions, so that a run repeats exactly");
        run_command->add_option("--timeout", run.timeout, "End the run after so many seconds, with status 124")
            ->type_name("S");
        run_command->add_option("--log-level", run.log_level, "What the host says: error, warning, info or debug")
            ->type_name("LEVEL");
        run_command->add_flag("--trace", run.trace,
                              "Let the host remember its last events and print them when a VM fails or the host does");
        run_command->add_flag("--no-hypervisor", run.no_hypervisor, "Boot the guest directly in QEMU, for comparison");
        run_command->add_option("--qemu-arg", run.qemu_arguments, "One more argument for QEMU; may be repeated")
            ->type_name("ARG")
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
            ->allow_extra_args(false);
        add_host_image(*run_command, run.host_image);
        run_command->add_flag("-v,--verbose", run.verbose, "Say what is done, QEMU's command line included");
        run_command->footer(kRunFooter);

        inspect_command = app.add_subcommand("inspect", "List what is in an image, bundle, kernel or device tree");
        inspect_command->add_option("FILE", inspect.file, "File to look into")
            ->required()
            ->type_name("")
            ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
        inspect_command->add_flag("--notices", inspect.notices, "Print the third-party notices that an image carries");

        schema_command = app.add_subcommand("schema", "Print the JSON Schema of system files, for editors");
        completion_command =
            app.add_subcommand("completion", "Print a script that completes this tool's command lines");
        completion_command->add_option("SHELL", shell, "bash, zsh or fish")
            ->required()
            ->type_name("")
            ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
        for (CLI::App *command : app.get_subcommands({}))
            command->get_formatter()->column_width(34);
    }

    /// The command that the arguments chose, for "try --help".
    [[nodiscard]] std::string chosen() const {
        const auto commands = app.get_subcommands();
        return commands.empty() ? "sel4vm" : "sel4vm " + commands.front()->get_name();
    }

    /// What a shell completes: the options as they are.
    [[nodiscard]] std::vector<CompletedCommand> completed() {
        std::vector<CompletedCommand> out;
        for (const CLI::App *command : app.get_subcommands({})) {
            CompletedCommand one{command->get_name(), command->get_description(), {}, {}};
            for (const CLI::Option *option : command->get_options()) {
                if (option->get_lnames().empty() || option == command->get_help_ptr() ||
                    option == command->get_help_all_ptr())
                    continue;
                const std::string name = "--" + option->get_lnames().front();
                const auto &short_names = option->get_snames();
                one.options.push_back(
                    {name, short_names.empty() ? std::string{} : "-" + short_names.front(), option->get_description(),
                     option->get_expected_max() == 0 ? std::string{} : option->get_type_name(), choices_of(name)});
            }
            if (command == completion_command)
                one.words.assign(std::begin(kShells), std::end(kShells));
            out.push_back(std::move(one));
        }
        return out;
    }

    [[nodiscard]] Printed completion() {
        const auto *found = std::find(std::begin(kShells), std::end(kShells), shell);
        if (found == std::end(kShells))
            throw Failure(ExitStatus::bad_input,
                          fmt::format("there is no completion for {}: expected {}", in_quotes(shell), one_of(kShells)));
        return {completion_script(static_cast<Shell>(found - std::begin(kShells)), completed())};
    }

    /// `--name=` is an empty value; CLI11 would take the next word instead.
    [[nodiscard]] std::vector<std::string> words(int argc, const char *const *argv) const {
        std::vector<std::string> out;
        for (int i = 1; i < argc; ++i) {
            std::string word(argv[i]);
            if (word.ends_with('=') && takes_value(word.substr(0, word.size() - 1))) {
                word.pop_back();
                out.push_back(std::move(word));
                word.clear();
            }
            out.push_back(std::move(word));
        }
        return out;
    }

    [[nodiscard]] bool takes_value(const std::string &name) const {
        const auto commands = app.get_subcommands({});
        return name.starts_with("--") && std::any_of(commands.begin(), commands.end(), [&](const CLI::App *command) {
                   const CLI::Option *option = command->get_option_no_throw(name);
                   return option != nullptr && option->get_expected_max() > 0;
               });
    }

    /// A suggestion for the first option or command that nobody knows.
    [[nodiscard]] std::string unknown_argument() const {
        const auto chosen_commands = app.get_subcommands();
        const CLI::App &where = chosen_commands.empty() ? app : *chosen_commands.front();
        std::vector<std::string> extras = app.remaining(true);
        if (extras.empty())
            return {};
        const std::string argument = extras.front().substr(0, extras.front().find('='));
        std::vector<std::string> names;
        for (const CLI::Option *option : where.get_options())
            for (const std::string &name : option->get_lnames())
                names.push_back("--" + name);
        for (const CLI::App *command : app.get_subcommands({}))
            if (chosen_commands.empty())
                names.push_back(command->get_name());
        const std::vector<std::string_view> known(names.begin(), names.end());
        const auto nearest = nearest_name(argument, known);
        const char *kind = argument.starts_with("-") ? "option" : chosen_commands.empty() ? "command" : "argument";
        return fmt::format("{} '{}' is unknown{}", kind, shortened(argument),
                           nearest ? fmt::format("; the nearest known one is '{}'", *nearest) : std::string{});
    }
};

bool is(const CLI::ParseError &error, CLI::ExitCodes kind) { return error.get_exit_code() == static_cast<int>(kind); }

[[noreturn]] void fail(const Parser &parser, const CLI::ParseError &error) {
    std::string problem = error.what();
    const std::string unknown = parser.unknown_argument();
    if (!unknown.empty() && (is(error, CLI::ExitCodes::ExtrasError) || is(error, CLI::ExitCodes::RequiredError)))
        problem = unknown;
    else if (problem == "A subcommand is required")
        problem = "a command is required: check, build, run, inspect, schema or completion";
    else if (is(error, CLI::ExitCodes::ArgumentMismatch))
        problem = fmt::format("option '{}' needs one value", problem.substr(0, problem.find(':')));
    else if (constexpr usize kLongestSentence = 200; problem.size() > kLongestSentence) // it repeats what was given
        problem = shortened(problem);
    throw Failure(ExitStatus::bad_input, fmt::format("{}; try '{} --help'", problem, parser.chosen()));
}

} // namespace

Command parse_command_line(int argc, const char *const *argv) {
    const auto parser = std::make_unique<Parser>();
    try {
        std::vector<std::string> words = parser->words(argc, argv);
        std::reverse(words.begin(), words.end()); // as CLI11 wants them
        parser->app.parse(std::move(words));
    } catch (const CLI::CallForHelp &) {
        const auto commands = parser->app.get_subcommands();
        return Printed{commands.empty() ? parser->app.help() : commands.front()->help("sel4vm")};
    } catch (const CLI::CallForAllHelp &) {
        return Printed{parser->app.help("", CLI::AppFormatMode::All)};
    } catch (const CLI::CallForVersion &version) {
        return Printed{std::string(version.what()) + "\n"};
    } catch (const CLI::ParseError &error) {
        fail(*parser, error);
    }
    if (parser->schema_command->parsed())
        return Printed{system_file_schema()};
    if (parser->completion_command->parsed())
        return parser->completion();
    if (parser->check_command->parsed())
        return parser->check;
    if (parser->build_command->parsed())
        return parser->build;
    if (parser->run_command->parsed())
        return parser->run;
    return parser->inspect;
}

} // namespace sel4vm::cli
