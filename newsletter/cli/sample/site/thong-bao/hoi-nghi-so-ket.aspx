<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<title>Phòng Tổ chức - Hành chính, Viện Nghiên cứu Sông Biển Vĩnh Sa</title>
</head>
<body>
<table width="980" align="center"><tr><td>
<div class="menu"><a href="/">Trang chủ</a> | <a href="/gioi-thieu.aspx">Giới thiệu</a> | <a href="/thong-bao/">Thông báo</a> | <a href="/lien-he.aspx">Liên hệ</a></div>
<div class="noidung">
<h1>Viện tổ chức Hội nghị sơ kết công tác quan trắc mùa lũ</h1>
<div class="ngaydang">Ngày đăng: %%ngay:4%%</div>
<p>Sáng ngày %%ngay:5%%, tại hội trường tầng 2, Viện Nghiên cứu Sông Biển Vĩnh Sa tổ chức Hội nghị sơ kết công tác quan trắc mùa lũ, đánh giá kết quả sáu tháng vừa qua và bàn nhiệm vụ sáu tháng tới.</p>
<p>Tham dự Hội nghị có bà Trần Ngọc Diệp, Viện trưởng, ông Đặng Công Minh, Phó Viện trưởng, cùng trưởng, phó các phòng và đại diện 14 trạm quan trắc.</p>
<figure><img src="/anh/hoi-nghi.png" width="600" alt=""><figcaption>Toàn cảnh Hội nghị</figcaption></figure>
<p>Theo báo cáo tại Hội nghị, trong sáu tháng các trạm đã hoàn thành 4.380 lượt đo, đạt 103 phần trăm kế hoạch. Số bản tin cảnh báo phát đúng giờ tăng từ 81 lên 96 phần trăm, không có bản tin nào phải đính chính.</p>
<p>Đại diện các trạm nêu một số khó khăn về xuồng máy đã cũ và thiếu người trực đêm tại trạm Hòn Trăng. Hội nghị thống nhất mua thêm hai xuồng composite trong quý tới và đổi lịch trực từ hai ca thành ba ca.</p>
<p>Kết luận Hội nghị, bà Trần Ngọc Diệp ghi nhận nỗ lực của cán bộ các trạm và yêu cầu các phòng hoàn thành việc kiểm định máy đo trước mùa lũ. “Một con số sai trong đêm lũ tệ hơn là không có con số nào”, bà nói.</p>
<p align="right"><b>T.H</b></p>
</div>
<div class="khac"><b>Các mục khác</b>
<ul>
<li><a href="/thong-bao/kham-suc-khoe.aspx">Thông báo lịch khám sức khỏe định kỳ</a> (%%ngay:26%%)</li>
<li><a href="/thong-bao/tuyen-dung.aspx">Tuyển dụng hai quan trắc viên trạm Hòn Trăng</a> (%%ngay:41%%)</li>
<li><a href="/thong-bao/hoi-thao-phu-sa.aspx">Hội thảo về phù sa và nghề nuôi nghêu</a> (%%ngay:63%%)</li>
</ul></div>
</td></tr></table>
</body>
</html>
