import { hookPath, installHook, isInstalled } from "../hook/install-hook.ts";
import { type Check, ok, warning } from "./check.ts";

const NAME = "libvirt's hook";

/** The hook that keeps libvirt from starting a VM below its overlay stands, and says what this version would write (SAFETY F4). */
export const checkHook: Check = async ({ config }) => {
	const path = hookPath(config);
	if (path === undefined) {
		const what = `where ${config.libvirtUri} looks for hooks is not known: it would start a VM below its overlay`;
		return [warning(NAME, what, `hooksDir = "…" in ${config.file}, then knib init`)];
	}
	if (await isInstalled(path, config.stateDir)) return [ok(NAME, path)];
	const what = `${path} is not there, or another: libvirt would start a VM below its overlay`;
	return [{ ...warning(NAME, what, "knib init"), mend: () => installHook(path, config) }];
};
