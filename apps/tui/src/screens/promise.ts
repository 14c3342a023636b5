import type { VmView } from "@knib/core";
import { size } from "@knib/core/text";

/** How long a VM takes to come back, as measured. */
export const promiseText = (promise: VmView["promise"]): string => {
	if (promise === null) return "not measured yet: a validation measures it";
	const { bootMs, answerMs, pullBytesPerSecond } = promise;
	return [
		bootMs === null ? "" : `boots in ${(bootMs / 1000).toFixed(1)} s`,
		answerMs === null ? "" : `answers in ${(answerMs / 1000).toFixed(1)} s`,
		pullBytesPerSecond === null ? "" : `pulled in at ${size(pullBytesPerSecond)}/s`,
	]
		.filter((part) => part !== "")
		.join(", ");
};
