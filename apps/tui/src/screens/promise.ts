import type { VmView } from "@knib/core";
import { size } from "@knib/core/text";
import type { State } from "../app/state.ts";

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** How long a VM takes to come back, as measured. */
export const promiseText = (promise: VmView["promise"]): string => {
	if (promise === null) return "not measured yet: a validation measures it";
	const { bootMs, answerMs, pullBytesPerSecond } = promise;
	return [
		bootMs === null ? "" : `boots in ${seconds(bootMs)}`,
		answerMs === null ? "" : `answers in ${seconds(answerMs)}`,
		pullBytesPerSecond === null ? "" : `pulled in at ${size(pullBytesPerSecond)}/s`,
	]
		.filter((part) => part !== "")
		.join(", ");
};

/** How long a backup takes to come back: as its own validation measured it, else as its VM's backups did. */
export const comesBack = (state: State, backup: { id: string; vm: { uuid: string } }): string => {
	const { agentMs = null, answerMs = null } = state.details[backup.id]?.validated ?? {};
	if (agentMs === null && answerMs === null)
		return promiseText(state.data.vms?.find((vm) => vm.uuid === backup.vm.uuid)?.promise ?? null);
	const boot = agentMs === null ? "" : `booted in ${seconds(agentMs)}`;
	const answer = answerMs === null ? "" : `answered in ${seconds(answerMs)}`;
	return [boot, answer, "when it was validated"].filter((part) => part !== "").join(", ");
};
