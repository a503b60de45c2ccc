"""The files of the dashboard and of its login page: HTML, CSS and JavaScript modules, as served."""
