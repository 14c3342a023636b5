// The steps of a restore to a new VM, for the table of executors. Up to the definition everything lies under names that hold the job's
// id or the new VM's uuid, so that going back takes away this job's own files and nothing else; of the repository nothing is written
// but the hold.
export { checkDisks, copyDisks } from "./restore-disks.ts";
export { hold } from "./restore-hold.ts";
export { verifyLayers } from "./restore-verify.ts";
export { defineVm, startVm } from "./restore-vm.ts";
