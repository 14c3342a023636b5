import { stderrOf, type Virsh } from "./virsh-client.ts";

/** A libvirt without a network driver has no networks; any other failure is not an answer (I10). */
const NO_DRIVER = /not supported by the connection driver|no connection driver/;

const namesOf = (text: string): readonly string[] =>
	text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));

/** libvirt's networks on this host, with whether each is active: the port's `networks`. */
export const listNetworks = async (
	virsh: Virsh,
): Promise<readonly { name: string; active: boolean }[]> => {
	try {
		const all = namesOf(await virsh(["net-list", "--all", "--name"]));
		const active = new Set(namesOf(await virsh(["net-list", "--name"])));
		return all.map((name) => ({ name, active: active.has(name) }));
	} catch (thrown) {
		if (NO_DRIVER.test(stderrOf(thrown))) return [];
		throw thrown;
	}
};
