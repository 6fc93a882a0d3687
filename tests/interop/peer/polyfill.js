// What libp2p needs of Node 22, for Node 20: `node --import ./peer/polyfill.js`.

Promise.withResolvers ??= function () {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
