#include "vmm/doctor/host_checks.h"

#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_format.h"
#include "vmm/ktap/trim.h"
#include "vmm/kvm/kvm.h"

namespace vmm {
namespace {

using Level = Diagnosis::Level;

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::string text(64u << 10, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

// From /etc/group: a static program has no other way that works everywhere.
std::string GroupName(const std::string& root, gid_t gid) {
  std::istringstream groups(ReadText(root + "/etc/group"));
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    const size_t third = line.find(':', second + 1);
    if (first == std::string::npos || second == std::string::npos || third == std::string::npos) continue;
    gid_t number = 0;
    if (ReadNumber(std::string_view(line).substr(second + 1, third - second - 1), number) && number == gid) {
      return line.substr(0, first);
    }
  }
  return absl::StrFormat("%d", gid);
}

// "vmx", "svm" or, without either, nothing.
std::string_view VirtualizationOf(const std::string& root) {
  const std::string text = ReadText(root + "/proc/cpuinfo");
  const size_t flags = text.find("\nflags");
  const std::string line =
      flags == std::string::npos ? "" : text.substr(flags, text.find('\n', flags + 1) - flags) + " ";
  if (line.find(" vmx ") != std::string::npos) return "vmx";
  if (line.find(" svm ") != std::string::npos) return "svm";
  return "";
}

std::string RemedyForKvm(const std::string& root, const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) {
    const std::string_view flag = VirtualizationOf(root);
    if (flag == "vmx") return "modprobe kvm_intel (as root); if that fails, switch VT-x on in the firmware";
    if (flag == "svm") return "modprobe kvm_amd (as root); if that fails, switch SVM on in the firmware";
    return "this machine shows no VMX or SVM: if it is a virtual one, its host must allow nested virtualization; in a "
           "container, pass the device in (docker run --device=/dev/kvm)";
  }
  if (!S_ISCHR(info.st_mode)) return "it is no device: remove it, and load kvm_intel or kvm_amd";
  if (access(path.c_str(), R_OK | W_OK) == 0) return "";
  const std::string group = GroupName(root, info.st_gid);
  if ((info.st_mode & 0060) == 0060 && info.st_gid != 0) {
    return absl::StrFormat("it belongs to the group %s: as root, usermod -aG %s USER, then log in again", group, group);
  }
  return "a udev rule gives the rights, as root: echo 'KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\"' > "
         "/etc/udev/rules.d/99-kvm.rules; udevadm control --reload; udevadm trigger --name-match=kvm";
}

}  // namespace

Diagnoses CheckKvm(const std::string& root, const std::string& path) {
  const absl::StatusOr<Kvm> kvm = Kvm::Open(path.c_str());
  if (!kvm.ok()) {
    return {{Level::kProblem, path, std::string(kvm.status().message()), RemedyForKvm(root, path)}};
  }
  Diagnoses findings = {{Level::kOk, path, "has all capabilities that vmm needs", ""}};
  findings.push_back({Level::kOk, "--cpus", absl::StrFormat("this KVM allows %d vCPUs", kvm->max_vcpus()), ""});
  if (kvm->nested_state_size() == 0) {
    findings.push_back({Level::kWarning, "nested guests",
                        "this KVM has no KVM_CAP_NESTED_STATE: no guest can be a hypervisor",
                        "only needed for that: load kvm_intel or kvm_amd with nested=1"});
  } else {
    findings.push_back({Level::kOk, "nested guests", "a guest can be a hypervisor", ""});
  }
  return findings;
}

int TryUserNamespace() {
  const pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) _exit(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 0 : errno);
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return EIO;
  return WEXITSTATUS(status);
}

Diagnosis CheckUserNamespaces(const std::string& root, int error) {
  Diagnosis finding{.subject = "user namespaces", .text = "allowed"};
  if (error == 0) return finding;
  finding.level = Level::kWarning;
  finding.text =
      absl::StrFormat("not allowed (%s): virtiofsd cannot share a folder without root", std::strerror(error));
  const auto is = [&](const char* name, std::string_view value) {
    return Trim(ReadText(root + "/proc/sys/" + name)) == value;
  };
  if (is("kernel/unprivileged_userns_clone", "0")) {
    finding.remedy = "as root: sysctl kernel.unprivileged_userns_clone=1";
  } else if (is("kernel/apparmor_restrict_unprivileged_userns", "1")) {
    finding.remedy = "as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0";
  } else if (is("user/max_user_namespaces", "0")) {
    finding.remedy = "as root: sysctl user.max_user_namespaces=10000";
  } else {
    finding.remedy = "a container's seccomp profile may forbid it; run vmm outside, or without shared folders";
  }
  return finding;
}

Diagnoses CheckHelpers(const std::string& root, const std::string& search_path) {
  struct Helper {
    const char* name;
    const char* purpose;
    const char* remedy;
    std::vector<std::string> places;  // besides $PATH
  };
  const Helper helpers[] = {
      {"virtiofsd",
       "folders shared by virtio-fs",
       "apt install virtiofsd, or on Debian 12 qemu-system-common",
       {"/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"}},
      {"diod", "folders shared by 9p, for kernels without virtio-fs", "apt install diod", {"/usr/sbin/diod"}},
      {"passt", "a network without root", "apt install passt", {}},
  };
  Diagnoses findings;
  for (const Helper& helper : helpers) {
    std::vector<std::string> places = helper.places;
    std::istringstream words(search_path);
    for (std::string directory; std::getline(words, directory, ':');) {
      if (directory.starts_with('/')) places.push_back(directory + "/" + helper.name);
    }
    Diagnosis finding{Level::kWarning, helper.name, absl::StrFormat("not found; it serves %s", helper.purpose),
                      helper.remedy};
    for (const std::string& place : places) {
      if (access((root + place).c_str(), X_OK) != 0) continue;
      finding = {Level::kOk, helper.name, place, ""};
      break;
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

Diagnosis CheckMemory(const std::string& root) {
  std::istringstream lines(ReadText(root + "/proc/meminfo"));
  for (std::string line; std::getline(lines, line);) {
    std::string_view text = line;
    uint64_t kilobytes = 0;
    if (!TakeFront(text, "MemAvailable:") || !text.ends_with("kB")) continue;
    text.remove_suffix(2);
    if (!ReadNumber(Trim(text), kilobytes)) continue;
    const std::string found = absl::StrFormat("%d MiB are available", kilobytes >> 10);
    if (kilobytes < 64u << 10) return {Level::kProblem, "memory", found, "the smallest guest needs 64 MiB"};
    if (kilobytes < 1u << 20) {
      return {Level::kWarning, "memory", found, "less than the default --memory=1G: give a smaller one"};
    }
    return {Level::kOk, "memory", found, ""};
  }
  return {Level::kWarning, "memory", "/proc/meminfo has no MemAvailable", ""};
}

}  // namespace vmm
