"""The picture of the chat page: a real chat with a trained model, in a real browser.

    apt-get install chromium fonts-wqy-zenhei && pip install -e ".[test]"
    python docs/page.py --model out/chat        # docs/chat.png"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

from playwright.sync_api import sync_playwright

DOCS = os.path.dirname(os.path.abspath(__file__))
SAID = ["hi, my name is Priya and I live in Tromsø", "my order is 5731", "where do i live?", "Write a short story about Priya and a little cat."]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="out/chat")
    args = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    server = subprocess.Popen([sys.executable, os.path.join(DOCS, "..", "serve.py"), "--model", args.model, "--port", port])
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/health")
                break
            except OSError:
                time.sleep(0.1)
        with sync_playwright() as started:
            flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
            browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
            page = browser.new_page(viewport={"width": 1000, "height": 620}, locale="en-US")
            page.goto(address)
            page.evaluate("settings.sampling = {temperature: 0}; saveSettings()")
            for text in SAID:
                page.fill("#input", text)
                page.press("#input", "Enter")
                page.wait_for_selector("#send", state="visible")
            page.click("#probabilities")
            page.locator(".assistant").last.locator(".token").nth(11).hover()
            page.wait_for_selector("#tip", state="visible")
            page.screenshot(path=os.path.join(DOCS, "chat.png"))
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
