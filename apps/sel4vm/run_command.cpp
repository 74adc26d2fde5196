// SPDX-License-Identifier: BSD-2-Clause
//
// `sel4vm run`: builds an image in a temporary folder and attaches this terminal to QEMU running it.
#include <apps/sel4vm/commands.hpp>
#include <apps/sel4vm/console_session.hpp>
#include <apps/sel4vm/drives.hpp>
#include <apps/sel4vm/host_image.hpp>
#include <apps/sel4vm/load_system.hpp>
#include <apps/sel4vm/machine_cpus.hpp>
#include <apps/sel4vm/machine_memory.hpp>
#include <apps/sel4vm/packing.hpp>
#include <apps/sel4vm/qemu.hpp>
#include <apps/sel4vm/text.hpp>
#include <apps/sel4vm/vm_options.hpp>

#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

namespace sel4vm::cli {
namespace {

using machine::ImageKind;

/// The argument for the host's command line that makes it mark its own lines: docs/console.md.
constexpr const char *kMarkedConsole = "console=marked";
/// That input waits until it is taken, as that of a person must not.
constexpr const char *kHeldInput = " input=held";
/// And the one that makes it remember its last events.
constexpr const char *kTraced = " trace";

/// A program in the host's place that is given no VM to make.
bool program_alone(const RunOptions &options) {
    const VmOptions &vm = options.vm;
    return options.host_image && !options.file && !options.no_hypervisor && !options.log_level && !vm.kernel &&
           !vm.firmware && !vm.flash && !vm.initrd && !vm.dtb && !vm.cmdline && !vm.memory && !vm.vcpus &&
           !vm.on_panic && vm.disks.empty();
}

void check_usage(const RunOptions &options) {
    const bool own = options.vm.kernel || options.vm.firmware;
    if (!options.file && !own && !program_alone(options))
        throw Failure(ExitStatus::bad_input,
                      options.host_image
                          ? "there is nothing for the options of a VM: expected a system FILE, --kernel or "
                            "--firmware; try 'sel4vm run --help'"
                          : "there is nothing to run: expected a system FILE, --kernel or --firmware; try 'sel4vm run "
                            "--help'");
}

std::filesystem::path image_path(const System &system, ImageKind kind) {
    for (const ImageSource &source : system.images)
        if (system.description.vms[source.vm].images[source.image].kind == kind)
            return source.path;
    return {};
}

/// QEMU loads the guest's own files; nothing of ours is involved.
QemuMachine bare_machine(const System &system, Mistakes &mistakes) {
    const auto &vm = system.description.vms[0];
    if (system.description.vms.size() != 1)
        mistakes.add({"", 0, "option '--no-hypervisor'", ""}, "is possible with one VM only");
    if (vm.on_panic == machine::PanicPolicy::restart)
        mistakes.add(system.origin_of("vm[0].on_panic"), "is not possible with option '--no-hypervisor'");
    for (const ImageSource &source : system.images) {
        const ImageKind kind = vm.images[source.image].kind;
        if (source.vm == 0 &&
            (kind == ImageKind::rom || kind == ImageKind::raw || kind == ImageKind::disk || kind == ImageKind::flash))
            mistakes.add(source.origin, "is not possible with option '--no-hypervisor'");
        else if (std::filesystem::is_fifo(source.path)) // QEMU reads the file itself, and a second time
            mistakes.add(source.origin, "is a pipe, which is not possible with option '--no-hypervisor'");
    }
    refuse_drives(system, mistakes, "is not possible with option '--no-hypervisor'");
    QemuMachine machine;
    machine.hypervisor = Hypervisor::absent;
    machine.kernel = image_path(system, ImageKind::kernel);
    machine.initrd = image_path(system, ImageKind::initrd);
    machine.dtb = image_path(system, ImageKind::dtb);
    machine.firmware = image_path(system, ImageKind::firmware);
    machine.cmdline = vm.cmdline;
    machine.settings = system.qemu;
    machine.settings.memory_bytes = vm.memory[0].size_bytes;
    machine.settings.cpus = vm.vcpu_count;
    return machine;
}

/// What the image of a run is made in and with.
struct Making {
    TemporaryFolder &folder;
    Mistakes &mistakes;
    ConsoleSetup &setup;
    ProgressLine &progress;
};
constexpr unsigned kSteps = 3;

std::string host_command_line(const RunOptions &options) {
    std::string words = kMarkedConsole;
    if (::isatty(STDIN_FILENO) != 1)
        words += kHeldInput;
    if (options.trace)
        words += kTraced;
    return words;
}

QemuMachine hosted_machine(System &system, const LoadedImages &images, const RunOptions &options, Making making) {
    auto &[folder, mistakes, setup, progress] = making;
    judge_machine_memory(system, images, mistakes);
    judge_machine_cpus(system, mistakes);
    require_none(mistakes);
    progress.step("packing");
    const HostImage host = HostImage::find(options.host_image);
    // Not semihosting: QEMU would offer it to the guests, too. The status comes over the console.
    system.description.exit_method = machine::ExitMethod::psci;
    const Bytes bundle = make_bundle(system, images, std::nullopt);
    if (!system.qemu.cpus)
        system.qemu.cpus = machine_cpus(system);
    if (!system.qemu.memory_bytes)
        system.qemu.memory_bytes = machine_memory_bytes(system, host.size_bytes() + bundle.size());

    QemuMachine machine;
    machine.kernel = folder.file("image");
    setup.image = machine.kernel;
    setup.host_elf = host.elf();
    machine.cmdline = host_command_line(options);
    machine.settings = system.qemu;
    machine.drives = system.drives;
    progress.step("writing");
    OutputFile image(machine.kernel);
    image.write(host.with_room_for(bundle.size()));
    image.write(bundle);
    image.commit();
    return machine;
}

/// Nothing is packed: whoever looks for a bundle finds none.
QemuMachine machine_of_program(System &system, const RunOptions &options, Making making) {
    const HostImage host = HostImage::find(options.host_image);
    system.qemu.gic = gic_version(system);
    QemuMachine machine;
    machine.kernel = making.folder.file("image");
    making.setup.image = machine.kernel;
    making.setup.host_elf = host.elf();
    machine.cmdline = host_command_line(options);
    machine.settings = system.qemu;
    making.progress.step("writing");
    OutputFile image(machine.kernel);
    image.write(host.bytes());
    image.commit();
    return machine;
}

QemuMachine prepare(System &system, const RunOptions &options, Making making) {
    Mistakes &mistakes = making.mistakes;
    making.progress.step("reading");
    if (program_alone(options)) {
        require_none(mistakes);
        QemuMachine machine = machine_of_program(system, options, making);
        machine.program = qemu_program();
        machine.timing = options.icount ? Timing::deterministic : Timing::real;
        return machine;
    }
    const LoadedImages images = load_images(system, mistakes);
    judge_system(system, images, mistakes);
    require_none(mistakes);
    system.qemu.gic = gic_version(system);
    QemuMachine machine =
        options.no_hypervisor ? bare_machine(system, mistakes) : hosted_machine(system, images, options, making);
    require_none(mistakes);
    machine.program = qemu_program();
    machine.timing = options.icount ? Timing::deterministic : Timing::real;
    return machine;
}

/// A word as a shell takes it; control characters as escapes in $'...'.
std::string shell_word(const std::string &word) {
    const bool plain =
        !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                                "-_=,./:+@%") == std::string::npos;
    if (plain)
        return word;
    if (one_line(word) == word) {
        std::string out = "'";
        for (const char c : word)
            out += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return out + "'";
    }
    std::string escaped;
    for (const char c : word)
        escaped += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    return "$'" + one_line(escaped) + "'";
}

void print_command(const std::vector<std::string> &command) {
    std::string line;
    for (const std::string &word : command)
        line += (line.empty() ? "" : " ") + shell_word(word);
    print_message(line);
}

/// Ends this process as the signal that ended the run would have, so that a calling shell sees it.
[[noreturn]] void die_of(int number) {
    std::signal(number, SIG_DFL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
    ::raise(number);
    ::_exit(128 + number);
}

} // namespace

ExitStatus run(const RunOptions &options) {
    check_usage(options);
    const Progress progress = options.verbose || ::isatty(STDERR_FILENO) == 1 ? Progress::shown : Progress::silent;
    Mistakes mistakes;
    ConsoleSetup setup;
    setup.time_limit = time_limit(options, mistakes);
    setup.progress = progress;

    ConsoleEnd end;
    {
        TemporaryFolder folder;
        {
            ProgressLine line(progress, "building the image", kSteps);
            std::unique_ptr<System> system;
            if (options.file) {
                system = read_system(*options.file, mistakes);
                if (!mistakes.empty() && system->description.vms.empty())
                    require_none(mistakes);
                apply_options(options, *system, mistakes);
            } else {
                system = system_from_options(options, mistakes);
            }
            const QemuMachine machine = prepare(*system, options, {folder, mistakes, setup, line});
            setup.command = qemu_command(machine);
            for (const auto &vm : system->description.vms)
                setup.vms.emplace_back(vm.name);
            if (options.host_image)
                setup.program = std::filesystem::path(*options.host_image).stem().string();
            if (options.no_hypervisor && system->description.vms[0].on_panic == machine::PanicPolicy::stop)
                setup.kernel_panic = KernelPanic::ends_run;
        }
        if (options.no_hypervisor) {
            setup.protocol = LineProtocol::plain;
            setup.input_start = InputStart::after_quiet;
        }
        if (options.icount)
            setup.input_end = InputEndPolicy::once;
        if (options.verbose)
            print_command(setup.command);
        end = run_console(setup);
    }
    if (end.signal != 0)
        die_of(end.signal);
    if (end.status != ExitStatus::ok && !end.sentence.empty())
        throw Failure(end.status, end.sentence);
    return end.status;
}

} // namespace sel4vm::cli
