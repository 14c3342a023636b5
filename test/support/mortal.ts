// Ports of a daemon that dies in the middle of its work.

/** A promise that nothing resolves. */
export const hang = (): Promise<never> => new Promise<never>(() => undefined);

/** The same methods, which never answer once `isDead`, as those of a process that was killed. */
export const mortal = <T extends object>(methods: T, isDead: () => boolean): T =>
	new Proxy(methods, {
		get: (target, key, receiver) => {
			const method: unknown = Reflect.get(target, key, receiver);
			if (typeof method !== "function") return method;
			return (...args: readonly unknown[]): unknown =>
				isDead() ? hang() : Reflect.apply(method, target, args);
		},
	});
