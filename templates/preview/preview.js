// Renews the page when the file is saved. Without it, reloading does the same.
"use strict";
(() => {
  const body = document.body;
  const note = document.getElementById("link_");
  let version = body.dataset.version;
  let isUnderWay = false;
  let wanted = version;

  // A trial is made again with the text as it stands in the form, and only its answer is replaced: typing goes on.
  const ask = () => {
    const form = document.getElementById("trial_");
    const text = form && document.getElementById("text_").value;
    if (form && text && document.querySelector("#answer_ > *")) {
      return fetch(form.action, { method: "POST", body: new URLSearchParams({ text }) });
    }
    return fetch(location.href);
  };

  const put = (next, selector) => {
    const [old, fresh] = [document, next].map((page) => page.querySelector(selector));
    if (!old || !fresh || old.innerHTML === fresh.innerHTML) return;
    const open = [...old.querySelectorAll("details[open][id]")].map((details) => details.id);
    old.replaceWith(document.adoptNode(fresh));
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  };

  const renew = async () => {
    if (isUnderWay) return;
    isUnderWay = true;
    try {
      while (wanted !== version) {
        const answer = await ask();
        const next = new DOMParser().parseFromString(await answer.text(), "text/html");
        version = next.body.dataset.version ?? wanted;
        put(next, "#state_of_file");
        put(next, "header");
        put(next, document.querySelector("form") ? "#answer_" : "main");
        if (Number(version) >= Number(wanted)) break;
      }
      note.textContent = "";
    } catch {
      // The stream tells of the end as well, and tries again.
    }
    isUnderWay = false;
  };

  const events = new EventSource(`${body.dataset.root}events`);
  events.onmessage = (event) => {
    wanted = event.data;
    if (wanted !== version) renew();
    else note.textContent = "";
  };
  events.onerror = () => {
    note.textContent = "The preview has ended, or cannot be reached.";
  };
})();
