// Opens the page of the node with the shop's request, and brings the signed answer to the shop.
const form = document.querySelector("#consent");
const { node, token } = form.dataset;
const request = JSON.parse(document.querySelector("#request").textContent);
const state = document.querySelector("#state");
let page = null;
form.querySelector("button").onclick = () => {
  page = window.open(`${node}/#/allow`);
};
window.addEventListener("message", async (event) => {
  if (event.origin !== node || event.source !== page) return; // nobody else may answer
  if (event.data.type === "sayso-ready-1") page.postMessage(request, node);
  if (event.data.type !== "sayso-consent-1") return;
  const body = JSON.stringify(event.data);
  const answer = await fetch(`/uploads/${token}/consent`, { method: "POST", body });
  const told = await answer.json();
  state.textContent = answer.ok ? "Licensed. Thank you." : `${told.code}: ${told.message}`;
});
